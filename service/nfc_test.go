package service

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/nfc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
)

func (h *house) nfc(change func(*session.StartRequest)) state.Session {
	h.Helper()
	r := session.StartRequest{Interface: "wlan0", Owner: ":1.7"}
	if change != nil {
		change(&r)
	}
	s, err := h.svc.NFC().StartNFC(h.Context(), r)
	if err != nil {
		h.Fatal(err)
	}
	return s
}

// token is this device's password token.
func (h *house) token(f nfc.Format) []byte {
	h.Helper()
	v, err := h.svc.NFC().NFCPasswordToken(h.Context(), "wlan0", f)
	if err != nil {
		h.Fatal(err)
	}
	return v.Bytes()
}

// reads lets us read a tag.
func (h *house) reads(payload []byte) nfc.Tag {
	h.Helper()
	t, err := h.svc.NFC().NFCTagRead(h.Context(),
		nfc.TagRequest{Interface: "wlan0", Payload: payload, Owner: ":1.7"})
	if err != nil {
		h.Fatal(err)
	}
	return t
}

// touches lets an access point read a tag.
func (h *house) touches(ap *sim.AP, tag []byte) {
	h.Helper()
	if err := ap.ReadTag(tag); err != nil {
		h.Fatal(err)
	}
}

// README-WPS: an NFC password token is read by the access point's Registrar, and wps_nfc starts the
// enrolment.
func TestNFCEnrolment(t *testing.T) {
	t.Parallel()
	play(t, []scene{
		{"an access point that has read our tag lets us in, with the tag's key", func(h *house) {
			ap := h.ap(nil)
			h.touches(ap, h.token(nfc.FormatNDEF))
			e := h.end(h.nfc(nil))
			h.wantNetwork(e, "home", passphrase)
			if e.Method != state.MethodNFC || e.Role != state.RoleEnrollee ||
				h.told(e.Networks[0]).Source != "nfc" {
				h.Errorf("%+v, source %q", e, h.told(e.Networks[0]).Source)
			}
		}},
		{"it may read the attributes without NDEF, and the tag is good more than once",
			func(h *house) {
				ap := h.ap(nil)
				for range 2 {
					h.touches(ap, h.token(nfc.FormatWPS))
					h.wantNetwork(h.end(h.nfc(func(r *session.StartRequest) {
						r.BSSID = homeBSSID
					})),
						"home", passphrase)
				}
			}},
		{"an access point that reads it while we look is found", func(h *house) {
			ap := h.ap(nil)
			tag := h.token(nfc.FormatNDEF)
			s := h.nfc(nil)
			time.Sleep(20 * time.Second)
			h.touches(ap, tag)
			h.wantNetwork(h.end(s), "home", passphrase)
		}},
		{"nothing is begun without a token", func(h *house) {
			h.ap(nil)
			if _, err := h.svc.NFC().StartNFC(h.Context(),
				session.StartRequest{Interface: "wlan0"}); !errors.Is(err,
				state.ErrNoToken) || !strings.Contains(err.Error(), "make one") {
				h.Errorf("%v", err)
			}
		}},
		{"an access point that has read another tag of ours is told apart", func(h *house) {
			ap := h.ap(nil)
			own, err := ndef.Parse(h.token(nfc.FormatWPS))
			if err != nil {
				h.Fatal(err)
			}
			own.Password.PublicKeyHash[0] ^= 1
			h.touches(ap, own.Password.Append(nil))
			e := h.end(h.nfc(func(r *session.StartRequest) { r.BSSID = homeBSSID }))
			// After M2D we go on looking, and the token is used up by then.
			h.wantEnd(e, state.StateFailed, outcome.ReasonRegistrarBusy, e.ConfigError)
		}},
		{"an access point that has another password is told apart", func(h *house) {
			ap := h.ap(nil)
			own, err := ndef.Parse(h.token(nfc.FormatWPS))
			if err != nil {
				h.Fatal(err)
			}
			own.Password.Password = secret.New(bytes.Repeat([]byte{1}, 32))
			h.touches(ap, own.Password.Append(nil))
			e := h.end(h.nfc(func(r *session.StartRequest) { r.BSSID = homeBSSID }))
			h.wantEnd(e, state.StateFailed, outcome.ReasonWrongPINFirst,
				wsc.ConfigErrorDevicePasswordAuthFailure)
			if !strings.Contains(e.Sentence, "tag") || strings.Contains(e.Sentence, "PIN") {
				h.Error(e.Sentence)
			}
		}},
		{"nobody who reads the tag is told so", func(h *house) {
			h.token(nfc.FormatNDEF)
			e := h.end(h.nfc(nil))
			h.wantEnd(e, state.StateFailed, outcome.ReasonNoAccessPoint, e.ConfigError)
		}},
		{"an interface that is not there has no token", func(h *house) {
			if _, err := h.svc.NFC().NFCPasswordToken(h.Context(), "wlan7",
				nfc.FormatNDEF); !errors.Is(err, state.ErrNoInterface) {
				h.Errorf("%v", err)
			}
			if _, err := h.svc.NFC().NFCPasswordToken(h.Context(), "", "PDF"); !errors.Is(err,
				state.ErrInvalid) {
				h.Errorf("%v", err)
			}
		}},
	})
}

// A configuration token becomes a network; a password is for Learn and Configure.
func TestNFCTagRead(t *testing.T) {
	t.Parallel()
	play(t, []scene{
		{"a stored network's token is the same network again", func(h *house) {
			n, err := h.svc.AddNetwork(h.Context(),
				session.Settings{SSID: []byte("cabin"), Auth: wsc.AuthWPA2PSK,
					Encryption: wsc.EncrAES,
					Key:        secret.FromString(passphrase)}, homeBSSID)
			if err != nil {
				h.Fatal(err)
			}
			for _, f := range []nfc.Format{nfc.FormatNDEF, nfc.FormatWPS} {
				tag, err := h.svc.NFC().NFCConfigToken(h.Context(), "wlan0", f, n.ID)
				if err != nil {
					h.Fatal(err)
				}
				got := h.reads(tag.Bytes())
				if got.Kind != nfc.TagConfiguration || len(got.Networks) != 1 ||
					got.Networks[0] != n.ID || got.Session != 0 {
					h.Fatalf("%+v", got)
				}
				read, err := h.svc.NetworkSecrets(got.Networks[0])
				if err != nil || string(read.SSID) != "cabin" ||
					string(read.Key.Bytes()) != passphrase {
					h.Errorf("%v, %v", read, err)
				}
			}
			h.drain()
			if got := h.told(n.ID); got.Source != "nfc" {
				h.Errorf("%+v", got)
			}
		}},
		{"with external processing an agent gets it, and nothing is stored", func(h *house) {
			h.process(state.ProcessingExternal)
			a := h.agent(":1.8", nil)
			token := ndef.ConfigurationToken{Credentials: []wsc.Credential{{NetworkIndex: 1,
				SSID: []byte("cabin"), AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES,
				NetworkKey: secret.FromString(passphrase)}}}
			if got := h.reads(token.AppendNDEF(nil)); len(got.Networks) != 0 ||
				len(h.svc.Published().Snapshot().Networks) != 0 {
				h.Errorf("%+v", got)
			}
			a.want(h, 0, "cabin")
		}},
		{"a network that cannot be used is refused with the reason", func(h *house) {
			token := ndef.ConfigurationToken{Credentials: []wsc.Credential{{NetworkIndex: 1,
				SSID: []byte("old"), AuthType: wsc.AuthOpen, EncrType: wsc.EncrWEP,
				NetworkKey: secret.FromString("wepwepwepwep!")}}}
			_, err := h.svc.NFC().NFCTagRead(h.Context(),
				nfc.TagRequest{Payload: token.Append(nil)})
			if !errors.Is(err, state.ErrUselessTag) || !errors.Is(err, state.ErrBadTag) ||
				strings.Contains(err.Error(), "wepwep") ||
				!strings.Contains(err.Error(), `"old" (it uses WEP`) {
				h.Errorf("%v", err)
			}
		}},
		{"what neard writes, and a tag of ours without a name, are told apart", func(h *house) {
			bare := []byte("\x10\x45\x00\x05cabin\x10\x03\x00\x02\x00\x20\x10\x27\x00\x0811112222")
			if got := h.reads(bare); len(got.Networks) != 1 ||
				string(h.told(got.Networks[0]).SSID) != "cabin" {
				h.Errorf("%+v", got)
			}
			_, err := h.svc.NFC().NFCTagRead(h.Context(),
				nfc.TagRequest{Payload: []byte("\x10\x0e\x00\x0c\x10\x27\x00\x0811112222")})
			if !errors.Is(err, state.ErrUselessTag) || !strings.Contains(err.Error(), "SSID") ||
				strings.Contains(err.Error(), "1111") {
				h.Error(err)
			}
			_, err = h.svc.NFC().NFCTagRead(h.Context(),
				nfc.TagRequest{Payload: []byte("\xd1\x01\x08T\x02enhello")})
			if errors.Is(err, state.ErrUselessTag) || !errors.Is(err, state.ErrBadTag) {
				h.Error(err)
			}
		}},
		{"an access point is learned with the password of its tag, in place of a PIN, once",
			func(h *house) {
				ap := h.ap(withPIN)
				if _, err := h.svc.Learn(h.Context(),
					session.StartRequest{Interface: "wlan0", BSSID: homeBSSID,
						NFC: true}); !errors.Is(err,
					state.ErrNoToken) {
					h.Errorf("before the tag was read: %v", err)
				}
				tag, err := ap.PasswordToken()
				if err != nil {
					h.Fatal(err)
				}
				if got := h.reads(tag); got.Kind != nfc.TagPassword || got.PasswordID < 0x10 ||
					len(got.Networks) != 0 {
					h.Errorf("%+v", got)
				}
				s, err := h.svc.Learn(h.Context(),
					session.StartRequest{Interface: "wlan0", BSSID: homeBSSID, NFC: true,
						Owner: ":1.7"})
				if err != nil {
					h.Fatal(err)
				}
				e := h.end(s)
				h.wantNetwork(e, "home", passphrase)
				if e.Method != state.MethodNFC || h.svc.tags.Count() > 0 {
					h.Errorf("%+v; tokens are left: %v", e, h.svc.tags.Count() > 0)
				}
				// Its PIN is good beside its token.
				h.wantNetwork(h.end(h.learn(labelPIN)), "home", passphrase)
				h.reads(tag)
				s, err = h.svc.Configure(h.Context(),
					session.StartRequest{Interface: "wlan0", BSSID: homeBSSID, NFC: true,
						Owner: ":1.7"},
					wpa2("new name", "new passphrase"))
				if err != nil {
					h.Fatal(err)
				}
				h.wantNetwork(h.end(s), "new name", "new passphrase")
			}},
		{"the tag of another access point is no password for this one", func(h *house) {
			ap, other := h.ap(withPIN), h.next(nil)
			if _, err := ap.PasswordToken(); err != nil {
				h.Fatal(err)
			}
			tag, err := other.PasswordToken()
			if err != nil {
				h.Fatal(err)
			}
			h.reads(tag)
			s, err := h.svc.Learn(h.Context(),
				session.StartRequest{Interface: "wlan0", BSSID: homeBSSID, NFC: true,
					Owner: ":1.7"})
			if err != nil {
				h.Fatal(err)
			}
			e := h.end(s)
			h.wantEnd(e, state.StateFailed, outcome.ReasonRegistrarBusy, 0)
			if !strings.Contains(e.Sentence, "own tag") || h.svc.tags.Count() == 0 {
				h.Error(e.Sentence)
			}
		}},
		{"a tag with another key's hash is refused with configuration error 20", func(h *house) {
			ap := h.ap(withPIN)
			tag, err := ap.PasswordToken()
			if err != nil {
				h.Fatal(err)
			}
			parsed, err := ndef.Parse(tag)
			if err != nil {
				h.Fatal(err)
			}
			parsed.Password.PublicKeyHash[3]++
			h.reads(parsed.Password.Append(nil))
			s, err := h.svc.Learn(h.Context(),
				session.StartRequest{Interface: "wlan0", BSSID: homeBSSID, NFC: true,
					Owner: ":1.7"})
			if err != nil {
				h.Fatal(err)
			}
			e := h.end(s)
			if e.State != state.StateFailed ||
				e.ConfigError != wsc.ConfigErrorPublicKeyHashMismatch ||
				!strings.Contains(e.Sentence, "another key") {
				h.Errorf("%+v", e)
			}
		}},
		{"after ten minutes a tag's password and a handover's key are forgotten, and keep nobody awake", func(h *house) {
			token := ndef.PasswordToken{ID: 0x100, Password: secret.New(make([]byte, 32))}
			h.reads(token.Append(nil))
			time.Sleep(6 * time.Minute)
			h.reads(token.Append(nil)) // anew
			if _, err := h.svc.NFC().NFCHandoverRequest(h.Context(), "wlan0", nfc.FormatNDEF,
				nfc.CarrierRecord); err != nil {
				h.Fatal(err)
			}
			time.Sleep(6 * time.Minute)
			if h.svc.tags.Count() == 0 ||
				h.svc.Busy() != "the password of an NFC tag that was read" {
				h.Errorf("after 6 minutes: %v, %q", h.svc.tags.Count() > 0, h.svc.Busy())
			}
			time.Sleep(5 * time.Minute)
			if h.svc.tags.Count() > 0 || h.svc.nfc.HasHandovers() || h.svc.Busy() != "" {
				h.Errorf("after 11 minutes: %v, %q", h.svc.tags.Count() > 0, h.svc.Busy())
			}
		}},
	})
}

// Connection handover, of which we are the one that asks.
func TestNFCHandover(t *testing.T) {
	t.Parallel()
	request := func(h *house, f nfc.Format, c nfc.Carrier) []byte {
		h.Helper()
		b, err := h.svc.NFC().NFCHandoverRequest(h.Context(), "wlan0", f, c)
		if err != nil {
			h.Fatal(err)
		}
		return b
	}
	report := func(h *house, req, sel []byte) (state.Session, error) {
		return h.svc.NFC().NFCReportHandover(h.Context(),
			nfc.Handover{Interface: "wlan0", Initiator: true, Request: req, Select: sel,
				Owner: ":1.7"})
	}
	play(t, []scene{
		{"the network comes in M2, in every form of the request", func(h *house) {
			ap := h.ap(nil)
			for _, c := range []struct {
				f nfc.Format
				c nfc.Carrier
			}{{nfc.FormatNDEF, nfc.CarrierRecord}, {nfc.FormatNDEF,
				nfc.CarrierMessage}, {nfc.FormatWPS,
				nfc.CarrierRecord}} {
				req := request(h, c.f, c.c)
				sel, err := ap.Handover(req)
				if err != nil {
					h.Fatal(err)
				}
				s, err := report(h, req, sel)
				if err != nil {
					h.Fatal(err)
				}
				e := h.end(s)
				h.wantNetwork(e, "home", passphrase)
				if e.Method != state.MethodNFC || e.Peer != homeBSSID || e.Message != wsc.MsgDone {
					h.Errorf("%+v", e)
				}
				if _, err := report(h, req, sel); !errors.Is(err, state.ErrNoToken) {
					h.Errorf("the key is good once more: %v", err)
				}
			}
		}},
		{"an access point that is named by its network only is found among others", func(h *house) {
			h.next(nil)
			ap := h.ap(nil)
			req := request(h, nfc.FormatNDEF, nfc.CarrierRecord)
			b, err := ap.Handover(req)
			if err != nil {
				h.Fatal(err)
			}
			sel, err := ndef.ParseHandoverSelect(b)
			if err != nil {
				h.Fatal(err)
			}
			sel.BSSID = wsc.MAC{}
			s, err := report(h, req, sel.AppendMessage(nil))
			if err != nil {
				h.Fatal(err)
			}
			h.wantNetwork(h.end(s), "home", passphrase)
		}},
		{"a Registrar with another key than it announced gets nothing and gives nothing",
			func(h *house) {
				ap := h.ap(nil)
				req := request(h, nfc.FormatNDEF, nfc.CarrierRecord)
				b, err := ap.Handover(req)
				if err != nil {
					h.Fatal(err)
				}
				sel, err := ndef.ParseHandoverSelect(b)
				if err != nil {
					h.Fatal(err)
				}
				sel.PublicKeyHash[0]++
				s, err := report(h, req, sel.AppendCarrier(nil))
				if err != nil {
					h.Fatal(err)
				}
				began := time.Now()
				e := h.end(s)
				h.wantEnd(e, state.StateFailed, outcome.ReasonProtocolError,
					wsc.ConfigErrorPublicKeyHashMismatch)
				if len(e.Networks) != 0 || !strings.Contains(e.Sentence,
					"another key than it told") || time.Since(began) > 10*time.Second {
					h.Errorf("after %v: %+v", time.Since(began), e)
				}
			}},
		{"what is no handover, or not ours, is refused", func(h *house) {
			ap := h.ap(nil)
			req := request(h, nfc.FormatNDEF, nfc.CarrierRecord)
			sel, err := ap.Handover(req)
			if err != nil {
				h.Fatal(err)
			}
			foreign := (&ndef.HandoverRequest{PublicKeyHash: [20]byte{1}}).AppendCarrier(nil)
			for _, bad := range []struct {
				name     string
				req, sel []byte
				err      error
			}{
				{"an empty answer", req, []byte{0xd1, 0x02, 0x01, 'H', 's', 0x12}, state.ErrBadTag},
				{"no request", nil, sel, state.ErrBadTag},
				{"no answer", req, nil, state.ErrBadTag},
				{"the two exchanged", sel, req, state.ErrBadTag},
				{"a request of somebody else", foreign, sel, state.ErrNoToken},
			} {
				if _, err := report(h, bad.req, bad.sel); !errors.Is(err, bad.err) {
					h.Errorf("%s: %v", bad.name, err)
				}
			}
			if _, err := h.svc.NFC().NFCReportHandover(h.Context(),
				nfc.Handover{Interface: "wlan0", Request: req, Select: sel}); !errors.Is(err,
				state.ErrNotSupported) {
				h.Errorf("a station lets somebody in: %v", err)
			}
			if _, err := h.svc.NFC().NFCHandoverSelect(h.Context(), "wlan0", nfc.FormatNDEF,
				nfc.CarrierRecord); !errors.Is(err, state.ErrNotSupported) {
				h.Errorf("a station offers a network: %v", err)
			}
			if _, err := h.svc.NFC().NFCHandoverRequest(h.Context(), "wlan0", nfc.FormatWPS,
				nfc.CarrierMessage); !errors.Is(err, state.ErrInvalid) {
				h.Errorf("a message without NDEF: %v", err)
			}
		}},
	})
}

// A network of a tag goes to whoever has the interface, as one of a session.
func TestNFCTagIsHandedOver(t *testing.T) {
	t.Parallel()
	tag := (&ndef.ConfigurationToken{Credentials: []wsc.Credential{{NetworkIndex: 1,
		SSID: []byte("cabin"), AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES,
		NetworkKey: secret.FromString(passphrase)}}}).AppendNDEF(nil)
	for _, c := range []struct {
		name   string
		config func(*Config)
		tag    nfc.TagRequest
		err    error
		told   string
	}{
		{"on the interface that was named", nil, nfc.TagRequest{Interface: "wlan0"}, nil,
			"deliver cabin " + passphrase},
		{"on the first station if none was named", nil, nfc.TagRequest{}, nil,
			"deliver cabin " + passphrase},
		{"to nobody", nil, nfc.TagRequest{Apply: session.ApplyNone}, nil, ""},
		{"to nobody where agents process credentials", func(c *Config) {
			c.Processing = state.ProcessingExternal
		}, nfc.TagRequest{}, nil, ""},
		{"to who was named all the same", func(c *Config) {
			c.Processing = state.ProcessingExternal
		},
			nfc.TagRequest{Apply: "first"}, nil, "deliver cabin " + passphrase},
		{"to one that is not there", nil, nfc.TagRequest{Apply: "third"},
			state.ErrNotSupported, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inManagedHouse(t, c.config, func(h *house, m *fakeManager, _ *store.Journal) {
				c.tag.Payload = tag
				if _, err := h.svc.NFC().NFCTagRead(h.Context(), c.tag); !errors.Is(err, c.err) {
					h.Errorf("%v", err)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if got := strings.Join(m.told, "; "); got != c.told {
					h.Errorf("the manager was told %q, want %q", got, c.told)
				}
			})
		})
	}
}

// What was touched is taken without anybody to ask.
func TestNFCTouched(t *testing.T) {
	t.Parallel()
	network := (&ndef.ConfigurationToken{Credentials: []wsc.Credential{{NetworkIndex: 1,
		SSID: []byte("cabin"), AuthType: wsc.AuthOpen, EncrType: wsc.EncrNone}}}).Append(nil)
	play(t, []scene{
		{"a network is stored, also with a length in front as of a handover", func(h *house) {
			for _, payload := range [][]byte{network,
				append([]byte{0, byte(len(network))}, network...)} {
				if err := h.svc.NFC().NFCTouched(h.Context(), payload); err != nil {
					h.Error(err)
				}
			}
			if n := h.store.Networks(); len(n) != 1 || string(n[0].SSID) != "cabin" {
				h.Errorf("%v", n)
			}
		}},
		{"a password is kept where there is nobody to let in", func(h *house) {
			tag, _ := tagOf(h)
			if err := h.svc.NFC().NFCTouched(h.Context(), tag.AppendNDEF(nil)); err != nil ||
				h.svc.tags.Count() == 0 {
				h.Error(err)
			}
			if _, err := h.svc.NFC().NFCAnswer(h.Context(),
				(&ndef.HandoverRequest{}).Append(nil)); !errors.Is(err, state.ErrNotSupported) {
				h.Errorf("without an access point: %v", err)
			}
		}},
	})
	playER(t, map[string]func(h *erHouse){
		"a device whose tag is touched is let in by the External Registrar": func(h *erHouse) {
			h.end(h.learn(labelPIN))
			tag, _ := tagOf(h)
			if err := h.svc.NFC().NFCTouched(h.Context(), tag.Append(nil)); err != nil {
				h.Fatal(err)
			}
			h.drain()
			snap, sub := h.svc.Published().Subscribe()
			sub.Close()
			last := snap.Sessions[len(snap.Sessions)-1]
			if last.Role != state.RoleExternalRegistrar || last.Method != state.MethodNFC ||
				!last.Detached {
				h.Errorf("%+v", last)
			}
		},
	})
}
