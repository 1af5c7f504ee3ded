package dbus

import (
	"context"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/session"
)

// nfcPassword stands in place of a PIN for the password of the access point's tag (README-WPS).
const nfcPassword = "nfc-pw"

// learn implements Interface.Learn.
func learn(ctx context.Context, r *request) ([]any, error) {
	start, err := registrarStart(r, nil)
	if err != nil {
		return nil, err
	}
	s, err := r.svc.Learn(ctx, start)
	if err != nil {
		return nil, err
	}
	return []any{sessionPath(s.ID)}, nil
}

// configure implements Interface.Configure.
func configure(ctx context.Context, r *request) ([]any, error) {
	var given settingsFields
	start, err := registrarStart(r, given.fields())
	if err != nil {
		return nil, err
	}
	settings, err := given.settings(r.options(2))
	if err != nil {
		return nil, err
	}
	s, err := r.svc.Configure(ctx, start, settings)
	if err != nil {
		return nil, err
	}
	return []any{sessionPath(s.ID)}, nil
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
