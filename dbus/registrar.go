package dbus

import (
	"context"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// nfcPassword stands in place of a PIN for the password of the access point's tag (README-WPS).
const nfcPassword = "nfc-pw"

// readLearn reads the arguments of Interface.Learn.
func readLearn(r *request) (session.StartRequest, error) { return registrarStart(r, nil) }

// configuration says which access point gets which settings: R is how it is asked for.
type configuration[R any] struct {
	start    R
	settings session.Settings
}

// readSettings reads the arguments of a Configure: the settings, and with start the others.
func readSettings[R any](r *request, start func(*request, map[string]any) (R,
	error)) (c configuration[R], err error) {
	var given settingsFields
	if c.start, err = start(r, given.fields()); err == nil {
		c.settings, err = given.settings(r.options(2))
	}
	return c, err
}

// readConfigure reads the arguments of Interface.Configure.
func readConfigure(r *request) (configuration[session.StartRequest], error) {
	return readSettings(r, registrarStart)
}

// configure implements Interface.Configure.
func configure(svc Rooms, ctx context.Context,
	c configuration[session.StartRequest]) (state.Session, error) {
	return svc.Configure(ctx, c.start, c.settings)
}

// registrarStart reads what Learn and Configure have in common: the BSSID, the access point's PIN,
// and a dictionary with more fields.
func registrarStart(r *request, more map[string]any) (session.StartRequest, error) {
	start := session.StartRequest{Interface: r.ifname, Owner: r.caller, User: r.user}
	run, err := r.decodeRun(r.options(2), usesPIN, more)
	if err != nil {
		return start, err
	}
	start.Detach, start.Apply, start.Force = run.detach, run.apply, run.force
	mac, err := wsc.ParseMAC(r.text(0))
	if err != nil {
		return start, outcome.BadBSSID.Of(quote(r.text(0)))
	}
	start.BSSID = mac
	switch pin := r.secret(1); {
	case pin.IsZero():
		return start, outcome.EmptyAccessPointPIN.Of()
	case string(pin.Bytes()) == nfcPassword:
		start.NFC = true
	default:
		start.PIN = pin
	}
	return start, nil
}

// settingsFields are the settings of a network as they come over the bus.
type settingsFields struct {
	ssid             []byte
	key              bus.Octets
	auth, encryption string
}

// fields are for decodeOptions.
func (f *settingsFields) fields() map[string]any {
	return map[string]any{"ssid": &f.ssid, optionKey: &f.key, "auth": &f.auth,
		"encryption": &f.encryption}
}

// settings makes session.Settings of them. The key is that of the arguments, which is wiped with
// them.
func (f *settingsFields) settings(given map[string]godbus.Variant) (session.Settings, error) {
	for _, key := range []string{"ssid", "auth", "encryption"} {
		if _, ok := given[key]; !ok {
			return session.Settings{}, outcome.SettingMissing.Of(quote(key))
		}
	}
	auth, err := wsc.ParseAuthType(f.auth)
	if err != nil {
		return session.Settings{}, outcome.NoAuth.Of(quote(f.auth))
	}
	encryption, err := wsc.ParseEncrType(f.encryption)
	if err != nil {
		return session.Settings{}, outcome.NoEncryption.Of(quote(f.encryption))
	}
	return session.Settings{SSID: f.ssid, Auth: auth, Encryption: encryption, Key: f.key.Value}, nil
}
