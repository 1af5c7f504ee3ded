package registration

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
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

var (
	stationMAC = wsc.MAC{2, 0, 0, 0, 1, 0}
	apMAC      = wsc.MAC{2, 0, 0, 0, 0, 0}
)

func device(name string, mac wsc.MAC, version wsc.Version) wsc.Device {
	return wsc.Device{
		UUID: wsc.UUIDFromMAC(mac), MAC: mac, Manufacturer: "wpsd", ModelName: name,
		ModelNumber:  "1",
		SerialNumber: "7", DeviceName: name,
		PrimaryDeviceType: wsc.DeviceType{0, 1, 0, 0x50, 0xf2, 4, 0, 1},
		ConfigMethods:     0x2108, AuthTypes: 0x23, EncrTypes: 0xd, ConnTypes: 1, RFBands: 1,
		OSVersion: 0x80000001,
		State:     wsc.Configured, Version2: version,
	}
}

func credential(ssid, key string) wsc.Credential {
	return wsc.Credential{
		NetworkIndex: 1, SSID: []byte(ssid), AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES,
		NetworkKey: secret.FromString(key), MAC: apMAC,
	}
}

func pin(text string) devpass.Password { return devpass.FromPIN(secret.FromString(text)) }

// knows is a Registrar's Password function for one password.
func knows(p devpass.Password) func(time.Time, wsc.Device,
	wsc.DevicePasswordID) (devpass.Password, bool) {
	return func(_ time.Time, _ wsc.Device, id wsc.DevicePasswordID) (devpass.Password, bool) {
		return p, id == p.ID
	}
}

// pair is an Enrollee and a Registrar that fit; a case changes what it is about.
type pair struct {
	e EnrolleeConfig
	r RegistrarConfig
}

func stationPair(p devpass.Password) pair {
	return pair{
		e: EnrolleeConfig{Device: device("station", stationMAC, wsc.Version20), Password: p},
		r: RegistrarConfig{Device: device("ap", apMAC, wsc.Version20), Password: knows(p),
			Give: []wsc.Credential{credential("home", "correct horse")}},
	}
}

func apPair(p devpass.Password) pair {
	settings := credential("the ap", "old passphrase")
	return pair{
		e: EnrolleeConfig{Device: device("ap", apMAC, wsc.Version20), Password: p,
			APSettings: &settings},
		r: RegistrarConfig{Device: device("station", stationMAC, wsc.Version20), Password: knows(p),
			AckDone: true},
	}
}

func (p pair) machines(t testing.TB) (*Enrollee, *Registrar) {
	t.Helper()
	e, err := NewEnrollee(p.e)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRegistrar(p.r)
	if err != nil {
		t.Fatal(err)
	}
	return e, r
}

func describe(frame []byte) string {
	kind, err := wsc.PeekMessageType(frame)
	if err != nil {
		return fmt.Sprintf("%d bytes, %v", len(frame), err)
	}
	text := fmt.Sprintf("%v %d", kind, len(frame))
	if n, err := wsc.ParseNack(frame); err == nil && kind == wsc.MsgNack {
		text += fmt.Sprintf(" configuration error %d", uint16(n.ConfigError))
	}
	return text
}

func (p pair) run(t testing.TB, channel enginetest.Channel) (*Enrollee, *Registrar, string) {
	t.Helper()
	e, r := p.machines(t)
	l := enginetest.Loopback{A: e, B: r, Channel: channel, Describe: describe}
	text, err := l.Run()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return e, r, text
}

func TestRuns(t *testing.T) {
	t.Parallel()
	nfc, err := devpass.FromNFC(0x4711, bytes.Repeat([]byte{0xab}, 32))
	if err != nil {
		t.Fatal(err)
	}
	newSettings := credential("new name", "new passphrase")
	open := wsc.Credential{NetworkIndex: 1, SSID: []byte("open"), AuthType: wsc.AuthOpen,
		EncrType: wsc.EncrNone}
	cases := []struct {
		name                string
		pair                pair
		change              func(*pair)
		enrollee, registrar error // sentinel, nil: success
		code                wsc.ConfigError
		half                int
		credentials         int
		settings            string // SSID that the Registrar, or the AP, ends up with
		lastSent            wsc.MessageType
	}{
		{name: "an 8-digit PIN", pair: stationPair(pin("12345670")), credentials: 1},
		{name: "a 4-digit PIN", pair: stationPair(pin("1234")), credentials: 1},
		{name: "a push button", pair: stationPair(devpass.PushButton()), credentials: 1},
		{name: "an NFC password", pair: stationPair(nfc), credentials: 1},
		{name: "a version 1.0 station", pair: stationPair(pin("12345670")), credentials: 1,
			change: func(p *pair) { p.e.Device.Version2 = 0 }},
		{name: "a version 1.0 Registrar", pair: stationPair(pin("12345670")), credentials: 1,
			change: func(p *pair) { p.r.Device.Version2 = 0 }},
		{name: "both version 1.0", pair: stationPair(pin("12345670")), credentials: 1,
			change: func(p *pair) { p.e.Device.Version2, p.r.Device.Version2 = 0, 0 }},
		{name: "two Credentials", pair: stationPair(pin("12345670")), credentials: 2,
			change: func(p *pair) {
				p.r.Give = append(p.r.Give, credential("second", "12345678"))
			}},
		{name: "an open network", pair: stationPair(pin("12345670")), credentials: 1,
			change: func(p *pair) { p.r.Give = []wsc.Credential{open} }},
		{name: "key pairs made ahead of time", pair: stationPair(pin("12345670")), credentials: 1,
			change: func(p *pair) {
				p.e.KeyPair, p.r.KeyPair = mustPair(t), mustPair(t)
			}},
		{name: "a push button that M2 calls Default", pair: stationPair(devpass.PushButton()),
			credentials: 1, change: func(p *pair) {
				p.r.Password = func(time.Time, wsc.Device,
					wsc.DevicePasswordID) (devpass.Password, bool) {
					odd := devpass.PushButton()
					odd.ID = wsc.PasswordIDDefault
					return odd, true
				}
			}},
		{name: "a wrong first half", pair: stationPair(pin("12345670")), change: func(p *pair) {
			p.r.Password = knows(pin("99995670"))
		},
			enrollee: ErrPassword, registrar: ErrPassword, code: 18, half: 1},
		{name: "a wrong second half", pair: stationPair(pin("12345670")), change: func(p *pair) {
			p.r.Password = knows(pin("12349999"))
		},
			enrollee: ErrPassword, registrar: ErrPassword, code: 18, half: 2},
		{name: "a Registrar that does not expect us", pair: stationPair(pin("12345670")),
			change:   func(p *pair) { p.r.Password = knows(devpass.PushButton()) },
			enrollee: ErrM2D, registrar: ErrM2D},
		{name: "a Registrar with its setup locked", pair: stationPair(pin("12345670")),
			change: func(p *pair) {
				p.r.Password, p.r.SetupLocked = knows(devpass.PushButton()), true
			}, enrollee: ErrLocked, registrar: ErrLocked, code: 15},
		{name: "a PBC session overlap at the Registrar", pair: stationPair(devpass.PushButton()),
			change: func(p *pair) {
				p.r.Overlap = func(time.Time) bool { return true }
			}, enrollee: ErrOverlap, registrar: ErrOverlap, code: 12},
		{name: "another password id in M2", pair: stationPair(pin("12345670")),
			change: func(p *pair) {
				p.r.Password = func(time.Time, wsc.Device,
					wsc.DevicePasswordID) (devpass.Password, bool) {
					return devpass.PushButton(), true
				}
			}, enrollee: ErrPasswordID, registrar: ErrNack},
		{name: "a Credential that is refused", pair: stationPair(pin("12345670")),
			change: func(p *pair) {
				p.e.Check = func([]wsc.Credential) error { return errors.New("no") }
			}, enrollee: ErrCredential, registrar: ErrNack},
		{name: "new settings that an access point refuses", pair: apPair(pin("12345670")),
			change: func(p *pair) {
				p.r.NewSettings = &newSettings
				p.e.Check = func(c []wsc.Credential) error {
					if len(c) != 1 || string(c[0].SSID) != "new name" {
						t.Errorf("Check gets %v", c)
					}
					return errors.New("no")
				}
			}, enrollee: ErrCredential, registrar: ErrNack},
		{name: "a Registrar key that is not the announced one", pair: stationPair(pin("12345670")),
			change: func(p *pair) {
				p.e.RegistrarKeyHash = &[20]byte{1}
			}, enrollee: ErrPublicKey, registrar: ErrNack, code: 20},
		{name: "an AP's settings are learned", pair: apPair(pin("12345670")), enrollee: ErrNack,
			settings: "the ap"},
		{name: "an AP is configured", pair: apPair(pin("12345670")), change: func(p *pair) {
			p.r.NewSettings = &newSettings
		}, settings: "new name"},
		{name: "an AP with its setup locked", pair: apPair(pin("12345670")), change: func(p *pair) {
			p.e.SetupLocked = true
		},
			enrollee: ErrLocked, registrar: ErrLocked, code: 15},
		{name: "an AP that may only be learned is not configured", pair: apPair(pin("12345670")),
			change: func(p *pair) {
				p.e.LearnOnly, p.r.NewSettings = true, &newSettings
			}, enrollee: ErrLocked, registrar: ErrLocked, code: 15},
		{name: "a wrong AP PIN, first half", pair: apPair(pin("12345670")), change: func(p *pair) {
			p.r.Password = knows(pin("99995670"))
		},
			enrollee: ErrPassword, registrar: ErrPassword, code: 18, half: 1},
		{name: "a station that a Registrar wants to learn from", pair: stationPair(pin("12345670")),
			change:   func(p *pair) { p.r.Give = nil },
			enrollee: ErrNack, registrar: ErrNoCredential},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := c.pair
			if c.change != nil {
				c.change(&p)
			}
			e, r, text := p.run(t, nil)
			checkEnd(t, "Enrollee", e.Outcome().Err, c.enrollee, c.code, c.half)
			checkEnd(t, "Registrar", r.Outcome().Err, c.registrar, c.code, c.half)
			got := e.Outcome().Credentials
			if len(got) != c.credentials {
				t.Fatalf("%d Credentials, not %d\n%s", len(got), c.credentials, text)
			}
			for i, cred := range got {
				want := p.r.Give[i]
				if !bytes.Equal(cred.SSID, want.SSID) || !cred.NetworkKey.Equal(want.NetworkKey) ||
					cred.MAC != stationMAC || cred.AuthType != want.AuthType {
					t.Errorf("Credential %d is %v", i, cred)
				}
				if cred.Raw.IsZero() {
					t.Errorf("Credential %d has no raw attribute", i)
				}
			}
			if c.settings != "" {
				holder := r.Outcome().APSettings // learned
				if p.r.NewSettings != nil {
					holder = e.Outcome().APSettings
				}
				if holder == nil || string(holder.SSID) != c.settings || holder.MAC != apMAC {
					t.Errorf("settings %+v, not of %q", holder, c.settings)
				}
			}
		})
	}
}

func checkEnd(t *testing.T, who string, err, want error, code wsc.ConfigError, half int) {
	t.Helper()
	if want == nil {
		if err != nil {
			t.Errorf("%s: %v", who, err)
		}
		return
	}
	var e *Error
	if !errors.Is(err, want) || !errors.As(err, &e) {
		t.Fatalf("%s: %v, not %v", who, err, want)
	}
	if e.ConfigError != code || e.Half != half {
		t.Errorf("%s: configuration error %d half %d, not %d half %d", who, e.ConfigError,
			e.Half, code, half)
	}
}

func mustPair(t testing.TB) *wsccrypto.KeyPair {
	t.Helper()
	k, err := wsccrypto.GenerateKeyPair(orRandom(nil))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestTranscripts holds whole runs with scripted randomness: the order of the draws, and which
// message follows which, with its length.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	scripted := func(p pair) pair {
		p.e.Rand = enginetest.NewScript(
			enginetest.Fill("Enrollee Nonce", 16, 1), enginetest.Fill("DH private key", 32, 2),
			enginetest.Fill("E-SNonce1", 16, 3), enginetest.Fill("E-SNonce2", 16, 4),
			enginetest.Fill("IV of M5", 16, 5), enginetest.Fill("IV of M7", 16, 6))
		p.r.Rand = enginetest.NewScript(
			enginetest.Fill("Registrar Nonce", 16, 7), enginetest.Fill("DH private key", 32, 8),
			enginetest.Fill("R-SNonce1", 16, 9), enginetest.Fill("R-SNonce2", 16, 10),
			enginetest.Fill("IV of M4", 16, 11), enginetest.Fill("IV of M6", 16, 12),
			enginetest.Fill("IV of M8", 16, 13))
		return p
	}
	wrong := stationPair(pin("12345670"))
	wrong.r.Password = knows(pin("12349999"))
	refused := stationPair(pin("12345670"))
	refused.r.Password = knows(devpass.PushButton())
	silent := stationPair(pin("12345670"))
	newSettings := credential("new name", "new passphrase")
	configure := apPair(pin("12345670"))
	configure.r.NewSettings = &newSettings
	handover := handoverPair(t)
	handover.e.KeyPair, handover.r.KeyPair = nil, nil
	announced := func(private byte) *[20]byte {
		k, err := wsccrypto.KeyPairFromPrivate(secret.New(bytes.Repeat([]byte{private}, 32)))
		if err != nil {
			t.Fatal(err)
		}
		hash := wsccrypto.PublicKeyHash(k.Public())
		return &hash
	}
	handover.e.RegistrarKeyHash = announced(8)
	handover.r.Token = onlyToken(Token{Password: handoverPassword(), EnrolleeKeyHash: announced(2)})
	handoverRand := enginetest.NewScript(enginetest.Fill("Registrar Nonce", 16, 7),
		enginetest.Fill("DH private key", 32, 8), enginetest.Fill("IV of M2", 16, 9))
	cases := []struct {
		name    string
		pair    pair
		channel enginetest.Channel
	}{
		{"handover", handover, nil},
		{"pin", stationPair(pin("12345670")), nil},
		{"push-button", stationPair(devpass.PushButton()), nil},
		{"learn", apPair(pin("12345670")), nil},
		{"configure", configure, nil},
		{"wrong-second-half", wrong, nil},
		{"m2d", refused, nil},
		{"silence-after-m3", silent, func(n int, _ bool, f []byte) [][]byte {
			if n >= 2 {
				return nil
			}
			return [][]byte{f}
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			scripted := scripted(c.pair)
			if c.name == "handover" {
				scripted.r.Rand = handoverRand
			}
			e, r, text := scripted.run(t, c.channel)
			text += fmt.Sprintf("Enrollee: %v\nRegistrar: %v\n", outcomeText(e.Outcome()),
				outcomeText(r.Outcome()))
			enginetest.Golden(t, c.name+".txt", text)
		})
	}
}

func outcomeText(o Outcome) string {
	text := fmt.Sprintf("%d Credentials", len(o.Credentials))
	if o.APSettings != nil {
		text += fmt.Sprintf(", settings of %q", o.APSettings.SSID)
	}
	if o.Err != nil {
		text += ", " + o.Err.Error()
	}
	return text
}

// TestLossyLoopback: whatever the channel does, nobody ends up with a Credential that was not
// given.
func TestLossyLoopback(t *testing.T) {
	t.Parallel()
	good, runs := 0, 400
	for seed := range runs {
		p := stationPair(pin("12345670"))
		e, r := p.machines(t)
		l := enginetest.Loopback{A: e, B: r,
			Channel: enginetest.Lossy(uint64(seed), 0.02*float64(seed%8))}
		if text, err := l.Run(); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		for _, c := range e.Outcome().Credentials {
			if !bytes.Equal(c.SSID, p.r.Give[0].SSID) ||
				!c.NetworkKey.Equal(p.r.Give[0].NetworkKey) {
				t.Fatalf("seed %d: another Credential", seed)
			}
			good++
		}
		if e.Outcome().Err == nil && len(e.Outcome().Credentials) != 1 {
			t.Fatalf("seed %d: success without a Credential", seed)
		}
	}
	if good < runs/8 {
		t.Errorf("only %d of %d runs succeeded: the channel is too bad to prove anything", good, runs)
	}
}

// TestEveryBitCounts flips each byte of each message in turn: the run must fail, or give exactly
// what was given (a byte that nobody reads). Never anything else.
func TestEveryBitCounts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	keyE, keyR := mustPair(t).Private(), mustPair(t).Private()
	for message := range 9 {
		for position := 0; ; position += 5 {
			p := stationPair(pin("12345670"))
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
				if !bytes.Equal(c.SSID, p.r.Give[0].SSID) ||
					!c.NetworkKey.Equal(p.r.Give[0].NetworkKey) {
					t.Fatalf("message %d byte %d: another Credential", message, position)
				}
			}
		}
	}
}

// framesOf records what one side of a good run receives.
func framesOf(t testing.TB, p pair, ofA bool) [][]byte {
	t.Helper()
	var frames [][]byte
	p.run(t, func(_ int, fromA bool, f []byte) [][]byte {
		if fromA != ofA {
			frames = append(frames, bytes.Clone(f))
		}
		return [][]byte{f}
	})
	return frames
}

func TestMachines(t *testing.T) {
	t.Parallel()
	station, ap := stationPair(pin("12345670")), apPair(pin("12345670"))
	for name, p := range map[string]pair{"station": station, "access point": ap} {
		t.Run("Enrollee "+name, func(t *testing.T) {
			t.Parallel()
			enginetest.TestMachine(t, func(t *testing.T) engine.Machine {
				e, _ := p.machines(t)
				return e
			}, framesOf(t, p, true))
		})
		t.Run("Registrar "+name, func(t *testing.T) {
			t.Parallel()
			enginetest.TestMachine(t, func(t *testing.T) engine.Machine {
				_, r := p.machines(t)
				return r
			}, framesOf(t, p, false))
		})
	}
}

// FuzzEnrollee and FuzzRegistrar put one fuzzed frame in place of message n of a good run.
func FuzzEnrollee(f *testing.F)  { fuzzSide(f, true) }
func FuzzRegistrar(f *testing.F) { fuzzSide(f, false) }

// fuzzPair is a pair whose randomness is always the same, so that a recorded frame fits the next
// run.
func fuzzPair(keyE, keyR secret.Value) pair {
	p := stationPair(pin("12345670"))
	p.e.KeyPair, _ = wsccrypto.KeyPairFromPrivate(keyE)
	p.r.KeyPair, _ = wsccrypto.KeyPairFromPrivate(keyR)
	p.e.Rand, p.r.Rand = rand.NewChaCha8([32]byte{1}), rand.NewChaCha8([32]byte{2})
	return p
}

func fuzzSide(f *testing.F, ofA bool) {
	keyE, keyR := secret.New(bytes.Repeat([]byte{3}, 32)), secret.New(bytes.Repeat([]byte{5}, 32))
	for i, frame := range framesOf(f, fuzzPair(keyE, keyR), ofA) {
		f.Add(uint8(i), frame)
	}
	f.Fuzz(func(t *testing.T, at uint8, frame []byte) {
		p, seen := fuzzPair(keyE, keyR), uint8(0)
		e, r, text := p.run(t, func(_ int, fromA bool, good []byte) [][]byte {
			if fromA == ofA {
				return [][]byte{good}
			}
			seen++
			if seen-1 == at%8 {
				return [][]byte{frame, good}
			}
			return [][]byte{good}
		})
		for _, c := range e.Outcome().Credentials {
			if !c.NetworkKey.Equal(p.r.Give[0].NetworkKey) {
				t.Fatalf("another Credential\n%s", text)
			}
		}
		for who, o := range map[string]Outcome{"Enrollee": e.Outcome(), "Registrar": r.Outcome()} {
			var typed *Error
			if o.Err != nil && !errors.As(o.Err, &typed) {
				t.Fatalf("%s: an error without a reason: %v", who, o.Err)
			}
		}
	})
}

func BenchmarkExchange(b *testing.B) {
	for _, c := range []struct {
		name  string
		ahead bool
	}{{"fresh key pairs", false}, {"key pairs ahead of time", true}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p := stationPair(pin("12345670"))
				if c.ahead {
					b.StopTimer()
					p.e.KeyPair, p.r.KeyPair = mustPair(b), mustPair(b)
					b.StartTimer()
				}
				e, _, _ := p.run(b, nil)
				if e.Outcome().Err != nil {
					b.Fatal(e.Outcome().Err)
				}
			}
		})
	}
}

// BenchmarkRest measures what an exchange costs each side besides Diffie-Hellman: whole exchanges
// with key pairs made ahead of time, less the shared secrets of both sides, which are timed on
// their own right after. Medians, since a shared machine has outliers.
func BenchmarkRest(b *testing.B) {
	var exchange, secrets []time.Duration
	for b.Loop() {
		p := stationPair(pin("12345670"))
		p.e.KeyPair, p.r.KeyPair = mustPair(b), mustPair(b)
		copyE, _ := wsccrypto.KeyPairFromPrivate(p.e.KeyPair.Private())
		copyR, _ := wsccrypto.KeyPairFromPrivate(p.r.KeyPair.Private())
		e, r := p.machines(b)
		l := enginetest.Loopback{A: e, B: r}
		start := time.Now()
		if _, err := l.Run(); err != nil || e.Outcome().Err != nil {
			b.Fatal(err, e.Outcome().Err)
		}
		exchange = append(exchange, time.Since(start))
		start = time.Now()
		for _, err := range []error{second(copyE.SharedSecret(copyR.Public())),
			second(copyR.SharedSecret(copyE.Public()))} {
			if err != nil {
				b.Fatal(err)
			}
		}
		secrets = append(secrets, time.Since(start))
	}
	slices.Sort(exchange)
	slices.Sort(secrets)
	n := len(exchange) / 2
	b.ReportMetric(float64((exchange[n]-secrets[n]).Microseconds())/2, "µs/side")
	b.ReportMetric(float64(secrets[n].Microseconds())/2, "DH-µs/side")
}

// second drops a result and keeps the error.
func second[T any](_ T, err error) error { return err }
