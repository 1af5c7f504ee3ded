package model

import (
	"context"
	"errors"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/engine/secret"
)

// Options is the a{sv} that methods take last.
type Options map[string]any

func (o Options) variants() map[string]godbus.Variant {
	v := map[string]godbus.Variant{}
	for name, value := range o {
		v[name] = godbus.MakeVariant(value)
	}
	return v
}

// Error is a call that failed.
type Error struct {
	Name string // of the D-Bus error, without "fi.w1.wps.Error."; "Gone": there is no wpsd
	Text string // wpsd's own sentence, in English
}

// Error implements error.
func (e *Error) Error() string { return e.Text }

// NoService is the Error's Name where nobody answers.
const NoService = "NoService"

// asError makes an *Error of whatever a call ended with.
func asError(err error) error {
	if err == nil {
		return nil
	}
	var e godbus.Error
	switch {
	case errors.As(err, &e):
		switch e.Name {
		case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NoReply",
			"org.freedesktop.DBus.Error.NameHasNoOwner":
			return &Error{Name: NoService, Text: e.Error()}
		}
		return &Error{Name: strings.TrimPrefix(e.Name, "fi.w1.wps.Error."), Text: e.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Name: NoService, Text: "wpsd did not answer in time"}
	}
	return &Error{Name: NoService, Text: err.Error()}
}

// call calls a method, and stores its answer in out. The user may be asked for a password.
func (m *Model) call(at Path, method string, args []any, out ...any) error {
	return m.callWithin(passwordTime, at, method, args, out...)
}

func (m *Model) callWithin(limit time.Duration, at Path, method string, args []any,
	out ...any) error {
	m.mu.Lock()
	conn := m.conn
	m.mu.Unlock()
	if conn == nil {
		return &Error{Name: NoService, Text: "there is no connection to D-Bus"}
	}
	ctx, cancel := context.WithTimeout(m.run, limit)
	defer cancel()
	return asError(conn.Call(ctx, bus.Request{To: busName, Path: at, Method: method, Args: args,
		Flags: godbus.FlagAllowInteractiveAuthorization}, out...))
}

// Scan looks for routers once.
func (m *Model) Scan(iface Path) error {
	return m.callWithin(callTime, iface, netIface+".Scan", []any{Options{}.variants()})
}

// StartPBC joins by push button, or presses the button of an access point of this machine.
func (m *Model) StartPBC(iface Path, o Options) (session Path, err error) {
	err = m.call(iface, netIface+".StartPbc", []any{o.variants()}, &session)
	return session, err
}

// StartPIN joins by PIN, or lets the device in whose PIN it is. Without one in o a PIN is made.
func (m *Model) StartPIN(iface Path, o Options) (session Path, pin secret.Value, err error) {
	var text string
	err = m.call(iface, netIface+".StartPin", []any{o.variants()}, &session, &text)
	return session, secret.FromString(text), err
}

// CheckPIN checks a PIN that somebody typed, and gives its digits.
func (m *Model) CheckPIN(text string) (digits string, err error) {
	err = m.callWithin(callTime, rootPath, managerIface+".CheckPin", []any{text}, &digits)
	return digits, err
}

// Learn reads a router's settings with its own PIN.
func (m *Model) Learn(iface Path, bssid, pin string, o Options) (session Path, err error) {
	err = m.call(iface, netIface+".Learn", []any{bssid, pin, o.variants()}, &session)
	return session, err
}

// Configure gives a router new settings with its own PIN.
func (m *Model) Configure(iface Path, bssid, pin string, settings Options) (session Path,
	err error) {
	err = m.call(iface, netIface+".Configure", []any{bssid, pin, settings.variants()}, &session)
	return session, err
}

// Cancel ends a session. That it is over already is no error.
func (m *Model) Cancel(session Path) error {
	err := m.call(session, sessionIface+".Cancel", nil)
	if e, ok := errors.AsType[*Error](err); ok && (e.Name == "NoSession" ||
		e.Name == "org.freedesktop.DBus.Error.UnknownObject") {
		return nil
	}
	return err
}

// Credential is a network with its key.
type Credential struct {
	SSID []byte
	Auth string
	Key  secret.Value
	URI  secret.Value // the text of a Wi-Fi QR code; none: it cannot be written as one
	Kind string       // of the key: "passphrase", "raw-psk", "wep", "none"
}

func newCredential(p props) Credential {
	key := get[[]byte](p, "key")
	defer clear(key)
	return Credential{SSID: get[[]byte](p, "ssid"), Auth: get[string](p, "auth"),
		Kind: get[string](p, "key-kind"), Key: secret.New(key),
		URI: secret.FromString(get[string](p, "wifi-uri"))}
}

// Credentials are the networks that a session of ours received.
func (m *Model) Credentials(session Path) (list []Credential, err error) {
	var raw []props
	err = m.call(session, sessionIface+".GetCredentials", nil, &raw)
	for _, p := range raw {
		list = append(list, newCredential(p))
	}
	return list, err
}

// Secrets is a stored network with its key; the user may be asked for a password.
func (m *Model) Secrets(network Path) (Credential, error) {
	var p props
	err := m.call(network, networkIface+".GetSecrets", nil, &p)
	return newCredential(p), err
}

// Activate has a network manager connect to a stored network.
func (m *Model) Activate(network Path) error {
	return m.call(network, networkIface+".Activate", []any{Options{}.variants()})
}

// Delete removes a stored network.
func (m *Model) Delete(network Path) error { return m.call(network, networkIface+".Delete", nil) }

// APPIN manages the own PIN of an access point of this machine.
func (m *Model) APPIN(iface Path, command string) (pin secret.Value, err error) {
	var text string
	err = m.call(iface, netIface+".ApPin", []any{command, Options{}.variants()}, &text)
	return secret.FromString(text), err
}

// StartER starts the External Registrar. It ends with us, unless it is kept.
func (m *Model) StartER(iface Path, keep bool, address string) error {
	o := Options{}
	if address != "" { // of the only router to deal with
		o["address"] = address
	}
	if keep {
		o["detach"] = true
	}
	return m.call(iface, erIface+".Start", []any{o.variants()})
}

// StopER stops it.
func (m *Model) StopER(iface Path) error { return m.call(iface, erIface+".Stop", nil) }

// LearnER reads the settings of a router that was found over the network.
func (m *Model) LearnER(iface Path, router, pin string, o Options) (session Path, err error) {
	err = m.call(iface, erIface+".Learn", []any{router, pin, o.variants()}, &session)
	return session, err
}

// AdmitPBC lets a device in by its button, through the External Registrar.
func (m *Model) AdmitPBC(iface Path, device string) (session Path, err error) {
	err = m.call(iface, erIface+".EnrollPbc", []any{device, Options{}.variants()}, &session)
	return session, err
}

// AdmitPIN lets a device in by its PIN, through the External Registrar.
func (m *Model) AdmitPIN(iface Path, device, pin string) (session Path, err error) {
	err = m.call(iface, erIface+".EnrollPin", []any{device, pin, Options{}.variants()}, &session)
	return session, err
}

// PasswordToken is the content of this device's NFC tag.
func (m *Model) PasswordToken(iface Path) (ndef []byte, err error) {
	err = m.call(iface, netIface+".NfcPasswordToken", []any{"NDEF"}, &ndef)
	return ndef, err
}

// NetworkToken is the content of an NFC tag with a stored network.
func (m *Model) NetworkToken(iface, network Path) (ndef []byte, err error) {
	err = m.call(iface, netIface+".NfcConfigToken", []any{"NDEF",
		Options{"network": network}.variants()}, &ndef)
	return ndef, err
}

// StartNFC joins with this device's NFC tag, which the router has read.
func (m *Model) StartNFC(iface Path) (session Path, err error) {
	err = m.call(iface, netIface+".StartNfc", []any{Options{}.variants()}, &session)
	return session, err
}

// Tag is what came of an NFC tag's content.
type Tag struct {
	Kind     string // "configuration" or "password"
	Networks []Path
	Session  Path
}

// ReadTag takes what was read off an NFC tag.
func (m *Model) ReadTag(iface Path, content []byte) (Tag, error) {
	var p props
	err := m.call(iface, netIface+".NfcTagRead", []any{content, Options{}.variants()}, &p)
	return Tag{Kind: get[string](p, "kind"), Networks: get[[]Path](p, "networks"),
		Session: orNone(get[Path](p, "session"))}, err
}
