package registration

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"wpsd/engine"
	"wpsd/engine/devpass"
	"wpsd/engine/enginetest"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// handoverPassword is that of a connection handover: none, only its id.
func handoverPassword() devpass.Password {
	return devpass.Password{ID: wsc.PasswordIDNFCConnectionHandover}
}

func nfcPassword(t testing.TB, id wsc.DevicePasswordID) devpass.Password {
	t.Helper()
	p, err := devpass.FromNFC(id, bytes.Repeat([]byte{0xab}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func nobody(time.Time, wsc.Device, wsc.DevicePasswordID) (devpass.Password, bool) {
	return devpass.Password{}, false
}

// onlyToken is a Registrar's Token function for one token.
func onlyToken(k Token) func(time.Time, wsc.DevicePasswordID, [20]byte) (Token, bool) {
	return func(_ time.Time, id wsc.DevicePasswordID, _ [20]byte) (Token, bool) {
		return k, id == k.Password.ID
	}
}

// tokenPair is a station and a Registrar that has read its tag; keyE is the pair that the tag
// announces.
func tokenPair(t testing.TB) pair {
	t.Helper()
	p := stationPair(nfcPassword(t, 0x4711))
	p.e.KeyPair = mustPair(t)
	hash := wsccrypto.PublicKeyHash(p.e.KeyPair.Public())
	p.r.Password = nobody
	p.r.Token = onlyToken(Token{Password: p.e.Password, EnrolleeKeyHash: &hash})
	return p
}

// handoverPair is a station and a Registrar that told each other their keys over NFC.
func handoverPair(t testing.TB) pair {
	t.Helper()
	p := stationPair(handoverPassword())
	p.e.KeyPair, p.r.KeyPair = mustPair(t), mustPair(t)
	hashE, hashR := wsccrypto.PublicKeyHash(p.e.KeyPair.Public()),
		wsccrypto.PublicKeyHash(p.r.KeyPair.Public())
	p.e.RegistrarKeyHash = &hashR
	p.r.Password = nobody
	p.r.Token = onlyToken(Token{Password: handoverPassword(), EnrolleeKeyHash: &hashE})
	return p
}

func TestNFCRuns(t *testing.T) {
	t.Parallel()
	full := []wsc.MessageType{wsc.MsgM1, wsc.MsgM2, wsc.MsgM3, wsc.MsgM4, wsc.MsgM5, wsc.MsgM6,
		wsc.MsgM7, wsc.MsgM8, wsc.MsgDone}
	m2d := []wsc.MessageType{wsc.MsgM1, wsc.MsgM2D, wsc.MsgAck}
	refused := []wsc.MessageType{wsc.MsgM1, wsc.MsgM2, wsc.MsgNack, wsc.MsgNack}
	toM7 := append(slices.Clone(full[:7]), wsc.MsgNack, wsc.MsgNack)
	settings := credential("the ap", "old passphrase")
	for _, c := range []struct {
		name                string
		pair                func(testing.TB) pair
		change              func(*pair)
		enrollee, registrar error
		code                wsc.ConfigError
		codes               [2]wsc.ConfigError // where they differ
		messages            []wsc.MessageType
		learned             bool
	}{
		{name: "a password token whose hash fits", pair: tokenPair, messages: full},
		{name: "a password token without a hash", pair: tokenPair, messages: full,
			change: func(p *pair) {
				p.r.Token = onlyToken(Token{Password: p.e.Password})
			}},
		{name: "a key that the password token did not announce", pair: tokenPair, messages: m2d,
			change:   func(p *pair) { p.e.KeyPair = mustPair(t) },
			enrollee: ErrPublicKey, registrar: ErrPublicKey, code: 20},
		{name: "a key that the token did not announce, although there is a PIN", pair: tokenPair,
			messages: m2d, change: func(p *pair) {
				p.e.KeyPair, p.r.Password = mustPair(t), knows(p.e.Password)
			}, enrollee: ErrPublicKey, registrar: ErrPublicKey, code: 20},
		{name: "a token of somebody else", pair: tokenPair, messages: m2d, change: func(p *pair) {
			p.e.Password.ID = 0x4712
		},
			enrollee: ErrM2D, registrar: ErrM2D},
		{name: "a password that the token does not have", pair: tokenPair, change: func(p *pair) {
			p.r.Token = onlyToken(Token{Password: devpass.Password{ID: 0x4711,
				Value: secret.FromString("00")}})
		}, enrollee: ErrPassword, registrar: ErrPassword, code: 18,
			messages: []wsc.MessageType{wsc.MsgM1, wsc.MsgM2, wsc.MsgM3, wsc.MsgM4, wsc.MsgNack, wsc.MsgNack}},
		{name: "a PIN is never looked for among tokens", pair: tokenPair, messages: full,
			change: func(p *pair) {
				p.e.Password = pin("12345670")
				p.r.Password = knows(p.e.Password)
				p.r.Token = func(time.Time, wsc.DevicePasswordID, [20]byte) (Token, bool) {
					t.Error("it was")
					return Token{}, true
				}
			}},
		{name: "a handover", pair: handoverPair,
			messages: []wsc.MessageType{wsc.MsgM1, wsc.MsgM2, wsc.MsgDone}},
		{name: "a handover with a pair of the token's", pair: handoverPair,
			messages: []wsc.MessageType{wsc.MsgM1, wsc.MsgM2, wsc.MsgDone}, change: func(p *pair) {
				hash := wsccrypto.PublicKeyHash(p.e.KeyPair.Public())
				p.r.Token = onlyToken(Token{Password: handoverPassword(), EnrolleeKeyHash: &hash,
					KeyPair: p.r.KeyPair})
				p.r.KeyPair = mustPair(t) // which nobody announced
			}},
		{name: "a handover of version 1.0", pair: handoverPair,
			messages: []wsc.MessageType{wsc.MsgM1, wsc.MsgM2, wsc.MsgDone}, change: func(p *pair) {
				p.e.Device.Version2, p.r.Device.Version2 = 0, 0
			}},
		{name: "a handover with two Credentials", pair: handoverPair,
			messages: []wsc.MessageType{wsc.MsgM1, wsc.MsgM2, wsc.MsgDone}, change: func(p *pair) {
				p.r.Give = append(p.r.Give, credential("second", "12345678"))
			}},
		{name: "a handover with a key that the Enrollee did not announce", pair: handoverPair,
			messages: m2d, change: func(p *pair) { p.e.KeyPair = mustPair(t) },
			enrollee: ErrPublicKey, registrar: ErrPublicKey, code: 20},
		{name: "a handover with a key that the Registrar did not announce", pair: handoverPair,
			change:   func(p *pair) { p.r.KeyPair = mustPair(t) },
			enrollee: ErrPublicKey, registrar: ErrNack, code: 20, messages: refused},
		{name: "a handover that the Registrar knows no hash of", pair: handoverPair, messages: m2d,
			change: func(p *pair) {
				p.r.Token = onlyToken(Token{Password: handoverPassword()})
			}, enrollee: ErrM2D, registrar: ErrM2D},
		{name: "a handover with a Registrar that has nothing to give", pair: handoverPair,
			messages: m2d, change: func(p *pair) { p.r.Give = nil },
			enrollee: ErrM2D, registrar: ErrM2D},
		{name: "a Registrar that wants a password after a handover", pair: handoverPair,
			change: func(p *pair) {
				p.r.Token, p.r.Password = nil, knows(handoverPassword())
			}, enrollee: ErrProtocol, registrar: ErrNack, messages: refused},
		{name: "Credentials in M2 for a station that knows of no handover", pair: handoverPair,
			change: func(p *pair) { p.e.RegistrarKeyHash = nil },
			// The station goes on with M3, which the Registrar does not expect.
			enrollee: ErrNack, registrar: ErrProtocol,
			messages: []wsc.MessageType{wsc.MsgM1, wsc.MsgM2, wsc.MsgM3, wsc.MsgNack, wsc.MsgNack}},
		{name: "a Credential of a handover that is refused", pair: handoverPair,
			change: func(p *pair) {
				p.e.Check = func([]wsc.Credential) error { return ErrCredential }
			}, enrollee: ErrCredential, registrar: ErrNack, messages: refused},
		{name: "an access point with a token is learned by it", pair: tokenPair, learned: true,
			enrollee: ErrNack, change: func(p *pair) {
				p.e.APSettings, p.r.Give = &settings, nil
			}, messages: toM7},
		{name: "an access point whose tag announces another key is told so", pair: tokenPair,
			change: func(p *pair) {
				p.e.APSettings, p.r.Give, p.e.KeyPair = &settings, nil, mustPair(t)
			}, enrollee: ErrM2D, registrar: ErrPublicKey, codes: [2]wsc.ConfigError{0, 20},
			messages: []wsc.MessageType{wsc.MsgM1, wsc.MsgM2D, wsc.MsgNack}},
		{name: "an access point with a token is learned by its PIN", pair: tokenPair, learned: true,
			enrollee: ErrNack, change: func(p *pair) {
				alternative := pin("12345670")
				p.e.APSettings, p.e.Alternative = &settings, &alternative
				p.r.Give, p.r.Token = nil, nil
				p.r.Password = func(time.Time, wsc.Device, wsc.DevicePasswordID) (devpass.Password,
					bool) {
					return alternative, true
				}
			}, messages: toM7},
		{name: "a PIN in place of a token that the Enrollee does not take", pair: tokenPair,
			change: func(p *pair) {
				p.r.Token = nil
				p.r.Password = func(time.Time, wsc.Device,
					wsc.DevicePasswordID) (devpass.Password, bool) {
					return pin("12345670"), true
				}
			}, enrollee: ErrPasswordID, registrar: ErrNack, messages: refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := c.pair(t)
			if c.change != nil {
				c.change(&p)
			}
			var messages []wsc.MessageType
			e, r, text := p.run(t, func(_ int, _ bool, frame []byte) [][]byte {
				kind, err := wsc.PeekMessageType(frame)
				if err != nil {
					t.Error(err)
				}
				messages = append(messages, kind)
				return [][]byte{frame}
			})
			half := 0
			if c.code == wsc.ConfigErrorDevicePasswordAuthFailure {
				half = 1
			}
			if c.codes == ([2]wsc.ConfigError{}) {
				c.codes = [2]wsc.ConfigError{c.code, c.code}
			}
			checkEnd(t, "Enrollee", e.Outcome().Err, c.enrollee, c.codes[0], half)
			checkEnd(t, "Registrar", r.Outcome().Err, c.registrar, c.codes[1], half)
			if !slices.Equal(messages, c.messages) {
				t.Errorf("messages %v, not %v\n%s", messages, c.messages, text)
			}
			if c.enrollee != nil || c.registrar != nil {
				if n := len(e.Outcome().Credentials); n != 0 {
					t.Errorf("%d Credentials after a failure", n)
				}
			} else if got := e.Outcome().Credentials; len(got) != len(
				p.r.Give) || !got[0].NetworkKey.Equal(
				p.r.Give[0].NetworkKey) || got[0].MAC != stationMAC {
				t.Errorf("Credentials %v", got)
			}
			if s := r.Outcome().APSettings; (s != nil) != c.learned || s != nil &&
				string(s.SSID) != "the ap" {
				t.Errorf("learned %v", s)
			}
		})
	}
}

// TestHandoverEveryBitCounts is TestEveryBitCounts for the abbreviated exchange.
func TestHandoverEveryBitCounts(t *testing.T) {
	t.Parallel()
	keys := handoverPair(t)
	keyE, keyR := secret.New(keys.e.KeyPair.Private().Bytes()),
		secret.New(keys.r.KeyPair.Private().Bytes())
	given := 0
	for message := range 3 {
		for position := 0; ; position += 3 {
			p := keys
			p.e.KeyPair, _ = wsccrypto.KeyPairFromPrivate(keyE)
			p.r.KeyPair, _ = wsccrypto.KeyPairFromPrivate(keyR)
			short := false
			e, _, _ := p.run(t, func(n int, _ bool, frame []byte) [][]byte {
				if n == message {
					if short = position >= len(frame); !short {
						frame[position] ^= 0x10
					}
				}
				return [][]byte{frame}
			})
			if short {
				break
			}
			for _, c := range e.Outcome().Credentials {
				if given++; message < 2 || !c.NetworkKey.Equal(p.r.Give[0].NetworkKey) {
					t.Fatalf("message %d byte %d: a Credential all the same", message, position)
				}
			}
		}
	}
	if given == 0 {
		t.Error("no run succeeded")
	}
}

func TestNFCMachines(t *testing.T) {
	t.Parallel()
	fresh := func(p pair) pair {
		p.e.KeyPair, _ = wsccrypto.KeyPairFromPrivate(secret.New(bytes.Repeat([]byte{3}, 32)))
		p.r.KeyPair, _ = wsccrypto.KeyPairFromPrivate(secret.New(bytes.Repeat([]byte{5}, 32)))
		hashE, hashR := wsccrypto.PublicKeyHash(p.e.KeyPair.Public()),
			wsccrypto.PublicKeyHash(p.r.KeyPair.Public())
		p.e.RegistrarKeyHash = &hashR
		p.r.Token = onlyToken(Token{Password: handoverPassword(), EnrolleeKeyHash: &hashE})
		return p
	}
	p := handoverPair(t)
	t.Run("Enrollee", func(t *testing.T) {
		t.Parallel()
		enginetest.TestMachine(t, func(t *testing.T) engine.Machine {
			e, _ := fresh(p).machines(t)
			return e
		}, framesOf(t, fresh(p), true))
	})
	t.Run("Registrar", func(t *testing.T) {
		t.Parallel()
		enginetest.TestMachine(t, func(t *testing.T) engine.Machine {
			_, r := fresh(p).machines(t)
			return r
		}, framesOf(t, fresh(p), false))
	})
}
