package service

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"wpsd/engine/credential"
	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/receive"
)

// Settings are a network's name and security, as a person gives them.
type Settings struct {
	SSID       []byte
	Auth       wsc.AuthType
	Encryption wsc.EncrType
	Key        secret.Value // passphrase of 8 to 63 characters, or 64 hex digits; empty: open
}

// credential is the form that goes over the air.
func (s *Settings) credential() wsc.Credential {
	return wsc.Credential{
		NetworkIndex: 1, SSID: s.SSID, AuthType: s.Auth, EncrType: s.Encryption,
		NetworkKey: s.Key.Clone(),
	}
}

// check refuses what makes no network, with the reason.
func (s *Settings) check() error {
	personal := s.Auth == wsc.AuthWPAPSK || s.Auth == wsc.AuthWPA2PSK ||
		s.Auth == wsc.AuthWPAPSK|wsc.AuthWPA2PSK
	ciphers := s.Encryption == wsc.EncrTKIP || s.Encryption == wsc.EncrAES ||
		s.Encryption == wsc.EncrTKIP|wsc.EncrAES
	switch {
	case len(s.SSID) == 0 || len(s.SSID) > 32:
		return fmt.Errorf("%w: an SSID has 1 to 32 bytes, this one %d", ErrInvalid, len(s.SSID))
	case s.Encryption&wsc.EncrWEP != 0:
		return fmt.Errorf("%w: WEP is broken, and WPS 2.0 forbids it: use WPA2PSK with CCMP", ErrInvalid)
	case s.Auth == wsc.AuthOpen && s.Encryption == wsc.EncrNone:
		if !s.Key.IsZero() {
			return fmt.Errorf("%w: an open network has no key: leave it out, or use WPA2PSK with CCMP", ErrInvalid)
		}
		return nil
	case s.Auth == wsc.AuthOpen:
		return fmt.Errorf("%w: an open network has no encryption: use OPEN with NONE, or WPA2PSK with CCMP", ErrInvalid)
	case !personal:
		return fmt.Errorf("%w: authentication %v: use WPA2PSK, or OPEN, WPAPSK or WPAPSK|WPA2PSK",
			ErrInvalid, s.Auth)
	case !ciphers:
		return fmt.Errorf("%w: %v needs encryption: use CCMP, or TKIP or TKIP|CCMP",
			ErrInvalid, s.Auth)
	}
	return checkKey(s.Key)
}

// checkKey checks the key of a WPA network: 802.11's passphrase is 8 to 63 characters of printable
// ASCII.
func checkKey(key secret.Value) error {
	b := key.Bytes()
	switch {
	case len(b) == 64:
		if _, err := hex.Decode(make([]byte, 32), b); err != nil {
			return fmt.Errorf("%w: a key of 64 characters has to be hex digits", ErrInvalid)
		}
		return nil
	case len(b) < 8 || len(b) > 63:
		return fmt.Errorf("%w: a passphrase has 8 to 63 characters, this one %d",
			ErrInvalid, len(b))
	}
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			return fmt.Errorf("%w: a passphrase is made of printable ASCII characters", ErrInvalid)
		}
	}
	return nil
}

// taken is what the network is once an access point has taken the settings: hostapd puts WPA2
// beside WPA and CCMP beside TKIP (hostapd 2.10, M8 with WPA or TKIP alone), as WPS 2.0 lets no
// Registrar set up the weak ones by themselves.
func (s *Settings) taken() wsc.Credential {
	c := s.credential()
	strengthen(&c)
	return c
}

func strengthen(c *wsc.Credential) {
	if c.AuthType&wsc.AuthWPAPSK != 0 {
		c.AuthType |= wsc.AuthWPA2PSK
	}
	if c.EncrType&wsc.EncrTKIP != 0 {
		c.EncrType |= wsc.EncrAES
	}
}

// Learn begins to read the settings of an access point with its own PIN (wps_reg BSSID PIN): they
// are stored as a network. The AP's settings stay as they are. A wrong PIN is tried once only.
func (s *Service) Learn(_ context.Context, r StartRequest) (Session, error) {
	return s.startRegistrar(r, task{purpose: PurposeLearn, method: MethodPIN})
}

// Configure begins to give an access point new settings, with its own PIN; when it took them, they
// are stored as a network. They are sent as they are, also weak ones: what an access point makes of
// them is its decision. The key of settings is copied.
func (s *Service) Configure(_ context.Context, r StartRequest, settings Settings) (Session, error) {
	if err := settings.check(); err != nil {
		return Session{}, err
	}
	settings.Key = settings.Key.Clone()
	return s.startRegistrar(r, task{purpose: PurposeConfigure, method: MethodPIN,
		settings: &settings})
}

func (s *Service) startRegistrar(r StartRequest, t task) (Session, error) {
	if r.BSSID.IsZero() {
		t.wipe()
		return Session{}, fmt.Errorf("%w: name the access point", ErrUnknownBSSID)
	}
	if r.NFC {
		if !s.hasTokens() {
			t.wipe()
			return Session{}, fmt.Errorf("%w: read the access point's tag first", ErrNoToken)
		}
		t.method = MethodNFC
		return s.start(r, t)
	}
	pin, err := readPIN(r.PIN, r.Force)
	if err != nil {
		t.wipe()
		return Session{}, err
	}
	t.password = devpass.FromPIN(pin)
	return s.start(r, t)
}

// apPassword gives the access point's PIN for whatever kind of it M1 names. A push button is none:
// an access point is never configured by one. One that names its NFC token takes the PIN in its
// place (hostap).
func (e *enrolment) apPassword(_ time.Time, _ wsc.Device,
	id wsc.DevicePasswordID) (devpass.Password, bool) {
	if e.method == MethodNFC {
		return devpass.Password{}, false
	}
	if id >= wsc.PasswordIDFirstToken {
		return devpass.Password{ID: wsc.PasswordIDDefault, Value: e.password.Value}, true
	}
	switch id {
	case wsc.PasswordIDDefault, wsc.PasswordIDUserSpecified, wsc.PasswordIDMachineSpecified,
		wsc.PasswordIDRegistrarSpecified, wsc.PasswordIDP2PSDefault:
		return devpass.Password{ID: id, Value: e.password.Value}, true
	default:
		return devpass.Password{}, false
	}
}

// AddNetwork stores a network that somebody knows. The key is copied.
func (s *Service) AddNetwork(_ context.Context, settings Settings, bssid wsc.MAC) (Network, error) {
	if bssid.IsMulticast() {
		return Network{}, fmt.Errorf("%w (%s)", ErrUnknownBSSID, bssid)
	}
	if err := settings.check(); err != nil {
		return Network{}, err
	}
	c := settings.credential()
	c.MAC = bssid
	raw := c.Append(nil)
	c.Raw = secret.New(raw)
	clear(raw)
	n, err := credentialNetwork(c)
	if err != nil {
		return Network{}, err
	}
	c.Wipe()
	added := &receive.Credentials{Networks: []credential.Network{n}}
	defer added.Wipe()
	if err := s.keep(added, receive.Origin{BSSID: bssid, Source: "added"}, nil); err != nil {
		return Network{}, err
	}
	if added.NotStored != nil {
		s.log.Error("the network cannot be stored", "err", added.NotStored)
		return Network{}, &notStoredError{added.NotStored}
	}
	s.announce(added.Stored)
	return networkOf(added.Stored[0].Network), nil
}

// credentialNetwork makes a network of a Credential that nobody sent.
func credentialNetwork(c wsc.Credential) (credential.Network, error) {
	n, err := credential.FromWSC(c, wsc.MAC{})
	if err != nil {
		return credential.Network{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return n, nil
}
