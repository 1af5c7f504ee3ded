package nfc

import (
	"context"
	"errors"
	"fmt"

	"wpsd/drivers"
	"wpsd/engine/devpass"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
)

// Format is how a token is written.
type Format string

// The formats, in the words of README-WPS.
const (
	// the attributes alone; of a handover with their length in front
	FormatWPS  Format = "WPS"
	FormatNDEF Format = "NDEF" // as a tag holds it: a message of one record
)

// check refuses what is no format.
func (f Format) check() error {
	if f != FormatWPS && f != FormatNDEF {
		return fmt.Errorf("%w: there is no format %q for NFC: say WPS or NDEF",
			state.ErrInvalid, string(f))
	}
	return nil
}

// token is something that is written on a tag.
type token interface {
	Append(b []byte) []byte
	AppendNDEF(b []byte) []byte
}

// write gives a token the form that was asked for.
func (f Format) write(t token) secret.Value {
	b := t.Append(nil)
	if f == FormatNDEF {
		clear(b)
		b = t.AppendNDEF(nil)
	}
	defer clear(b)
	return secret.New(b)
}

// task makes the task of an enrolment with this token, whose secrets the task gets its own of.
func tokenTask(t store.Token) (session.Task, error) {
	password, err := devpass.FromNFC(t.ID, t.Password.Bytes())
	if err != nil {
		return session.Task{}, fmt.Errorf("nfc: %w", err)
	}
	return session.Task{Purpose: state.PurposeEnroll, Method: state.MethodNFC, Password: password,
		PrivateKey: t.Private.Clone()}, nil
}

// StartNFC begins an enrolment with this device's own password token, which the access point's
// Registrar has read or will read. It goes on like one with a PIN. Without a token (see
// NFCPasswordToken) it is ErrNoToken.
func (s *Exchange) StartNFC(_ context.Context, r session.StartRequest) (state.Session, error) {
	if r.Purpose == state.PurposeAdmit ||
		r.Purpose == "" && s.hub.IsAccessPoint(r.Interface) {
		return state.Session{}, fmt.Errorf("%w: %s is an access point itself: let it read the tag of the device that is to join", state.ErrNotSupported, r.Interface)
	}
	t, ok := s.haveToken()
	if !ok {
		return state.Session{}, fmt.Errorf("%w: make one and write it to a tag, or configure the one that is on the tag already", state.ErrNoToken)
	}
	defer t.Wipe()
	work, err := tokenTask(t)
	if err != nil {
		return state.Session{}, err
	}
	return s.hub.Start(r, work)
}

// NFCPasswordToken returns this device's own password token, which is made and stored when there is
// none yet. For an interface that is an access point it is that one's own, by which a Registrar may
// read and change its settings; it is enabled by this. It is the caller's to wipe.
func (s *Exchange) NFCPasswordToken(ctx context.Context, ifname string,
	f Format) (secret.Value, error) {
	if err := f.check(); err != nil {
		return secret.Value{}, err
	}
	if s.hub.IsAccessPoint(ifname) {
		return s.hotspots.Ask(ctx, ifname,
			func(ap drivers.AccessPoint) (secret.Value, error) {
				return ap.PasswordToken(ctx, string(f))
			})
	}
	if err := s.hub.Known(ifname); err != nil {
		return secret.Value{}, err
	}
	t, err := s.ownToken()
	if err != nil {
		return secret.Value{}, err
	}
	defer t.Wipe()
	pair, err := wsccrypto.KeyPairFromPrivate(t.Private)
	if err != nil {
		return secret.Value{}, fmt.Errorf("nfc: %w", err)
	}
	defer pair.Wipe()
	return f.write(&ndef.PasswordToken{
		PublicKeyHash: wsccrypto.PublicKeyHash(pair.Public()), ID: t.ID, Password: t.Password,
		Version2: wsc.Version20,
	}), nil
}

// ownToken returns this device's token, and makes it if need be. It draws a private key, the id and
// the password.
func (s *Exchange) ownToken() (store.Token, error) {
	s.making.Lock()
	defer s.making.Unlock()
	if t, ok := s.haveToken(); ok {
		return t, nil
	}
	pair, err := wsccrypto.GenerateKeyPair(s.rand)
	if err != nil {
		return store.Token{}, fmt.Errorf("nfc: %w", err)
	}
	defer pair.Wipe()
	tag, err := ndef.NewPasswordToken(s.rand, wsccrypto.PublicKeyHash(pair.Public()))
	if err != nil {
		return store.Token{}, fmt.Errorf("nfc: %w", err)
	}
	t := store.Token{ID: tag.ID, Private: pair.Private().Clone(), Password: tag.Password}
	if err := s.store.SetToken(t); err != nil {
		t.Wipe()
		s.log.Error("the NFC token cannot be stored", "err", err)
		return store.Token{}, fmt.Errorf("%w: %w", state.ErrStore, err)
	}
	s.log.Info("an NFC password token was made", "id", uint16(t.ID))
	return t, nil
}

// NFCConfigToken returns a configuration token, with which whoever reads it can join: of a stored
// network, or, with network 0, of the access point that the interface is. It is the caller's to
// wipe.
func (s *Exchange) NFCConfigToken(ctx context.Context, ifname string, f Format,
	network state.NetworkID) (secret.Value, error) {
	if err := f.check(); err != nil {
		return secret.Value{}, err
	}
	if network == 0 {
		return s.apConfigToken(ctx, ifname, f)
	}
	if err := s.hub.Known(ifname); err != nil {
		return secret.Value{}, err
	}
	n, err := s.arrivals.Network(network)
	if err != nil {
		return secret.Value{}, err
	}
	defer n.Wipe()
	return f.write(&ndef.ConfigurationToken{Credentials: []wsc.Credential{n.Credential()},
		Version2: wsc.Version20}), nil
}

// apConfigToken is that of an access point of this machine. Its own software makes it: an access
// point without settings chooses them at this moment. One that knows no NFC tells its settings,
// which are enough.
func (s *Exchange) apConfigToken(ctx context.Context, ifname string,
	f Format) (secret.Value, error) {
	if !s.hub.IsAccessPoint(ifname) {
		return secret.Value{}, fmt.Errorf("%w: %q is no access point, so it has no network of its own: say which stored network", state.ErrNotSupported, ifname)
	}
	return s.hotspots.Ask(ctx, ifname, func(ap drivers.AccessPoint) (secret.Value, error) {
		if t, err := ap.ConfigToken(ctx, string(f)); err == nil || !isUnsupported(err) {
			return t, err
		}
		settings, err := ap.Settings(ctx)
		if err != nil {
			return secret.Value{}, err
		}
		defer settings.Key.Wipe()
		t, err := settingsToken(&settings)
		if err != nil {
			return secret.Value{}, err
		}
		return f.write(t), nil
	})
}

// isUnsupported tells what another way may be tried after.
func isUnsupported(err error) bool {
	return errors.Is(err, drivers.ErrNotSupported) || errors.Is(err, state.ErrNotSupported)
}

// settingsToken makes a configuration token of what an access point's software tells of itself.
func settingsToken(a *drivers.APSettings) (*ndef.ConfigurationToken, error) {
	c := wsc.Credential{NetworkIndex: 1, SSID: a.SSID, AuthType: wsc.AuthOpen,
		EncrType: wsc.EncrNone, NetworkKey: a.Key, MAC: wsc.MAC(a.BSSID)}
	switch {
	case a.RSN && !a.Key.IsZero():
		c.AuthType = wsc.AuthWPA2PSK
	case a.WPA && !a.Key.IsZero():
		c.AuthType = wsc.AuthWPAPSK
	case a.RSN || a.WPA || !a.Key.IsZero():
		return nil, fmt.Errorf("the access point does not tell its key: %w",
			drivers.ErrNotSupported)
	}
	if c.AuthType != wsc.AuthOpen {
		c.EncrType = wsc.EncrTKIP
		if a.CCMP || c.AuthType == wsc.AuthWPA2PSK {
			c.EncrType = wsc.EncrAES
		}
	}
	return &ndef.ConfigurationToken{
		Credentials: []wsc.Credential{c}, RFBands: wsc.BandOf(a.Frequency),
		APChannel: channelOf(a.Frequency), BSSID: wsc.MAC(a.BSSID), Version2: wsc.Version20,
	}, nil
}

// channelOf numbers a frequency in MHz as 802.11 does; 0: unknown.
func channelOf(frequency int) uint16 {
	switch {
	case frequency == 2484:
		return 14
	case frequency >= 2412 && frequency < 2484:
		return uint16((frequency - 2407) / 5)
	case frequency >= 5000 && frequency < 5950:
		return uint16((frequency - 5000) / 5)
	case frequency > 56160 && frequency < 72000:
		return uint16((frequency - 56160) / 2160)
	}
	return 0
}

// frequencyOf is the frequency in MHz of a channel that a tag or a handover names; 0: unknown
// (hostap's rules).
func frequencyOf(bands wsc.RFBands, channel uint16) int {
	switch n := int(channel); {
	case bands == wsc.Band60GHz && n >= 1 && n <= 6:
		return 56160 + 2160*n
	case n >= 1 && n <= 13:
		return 2407 + 5*n
	case n == 14:
		return 2484
	case n >= 30 && n < 190:
		return 5000 + 5*n
	}
	return 0
}

// useToken checks the configured token, which takes the place of a stored one.
func (s *Exchange) useToken(t store.Token) error {
	pair, err := wsccrypto.KeyPairFromPrivate(t.Private)
	if err != nil {
		return fmt.Errorf("%w: the NFC token's private key: %w", state.ErrInvalid, err)
	}
	pair.Wipe()
	work, err := tokenTask(t)
	if err != nil {
		return fmt.Errorf("%w: the NFC token: %w", state.ErrInvalid, err)
	}
	work.Wipe()
	s.own = t.Clone()
	return nil
}

// haveToken returns this device's token, configured or made before, with secrets of its own.
func (s *Exchange) haveToken() (store.Token, bool) {
	if s.own.ID != 0 {
		return s.own.Clone(), true
	}
	return s.store.Token()
}
