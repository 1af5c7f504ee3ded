package admission

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

var (
	epoch  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	phone  = wsc.MAC{2, 0, 0, 0, 0, 1}
	tablet = wsc.MAC{2, 0, 0, 0, 0, 2}
)

func pin(text string) devpass.Password { return devpass.FromPIN(secret.FromString(text)) }

func token(t testing.TB, id wsc.DevicePasswordID) devpass.Password {
	t.Helper()
	p, err := devpass.FromNFC(id, bytes.Repeat([]byte{0xab}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// applicant is a device that talks through access point 1.
func applicant(mac wsc.MAC, id wsc.DevicePasswordID) Applicant {
	return Applicant{Scope: 1, Device: wsc.Device{UUID: wsc.UUIDFromMAC(mac), MAC: mac},
		PasswordID: id, KeyHash: [20]byte{mac[5]}}
}

func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	const (
		byPIN    = wsc.PasswordIDDefault
		byButton = wsc.PasswordIDPushButton
	)
	any := Grant{Password: pin("11111111"), Expires: epoch.Add(PINTimeout)}
	with := func(change func(*Grant)) Grant { g := any; change(&g); return g }
	button := with(func(g *Grant) { g.Password = devpass.PushButton() })
	cases := []struct {
		name   string
		grants []Grant
		who    Applicant
		after  time.Duration
		want   ID // 1 is the first grant; 0: none
		err    error
		id     wsc.DevicePasswordID // of the password
	}{
		{name: "nobody is granted anything", who: applicant(phone, byPIN), err: ErrNone},
		{name: "a PIN for any", grants: []Grant{any}, who: applicant(phone, byPIN), want: 1},
		{name: "a PIN at its last moment", grants: []Grant{any}, who: applicant(phone, byPIN),
			after: PINTimeout - 1, want: 1},
		{name: "a PIN whose time is over", grants: []Grant{any}, who: applicant(phone, byPIN),
			after: PINTimeout, err: ErrNone},
		{name: "a PIN for this UUID", grants: []Grant{with(func(g *Grant) {
			g.UUID = wsc.UUIDFromMAC(phone)
		})}, who: applicant(phone, byPIN), want: 1},
		{name: "a PIN for another UUID", grants: []Grant{with(func(g *Grant) {
			g.UUID = wsc.UUIDFromMAC(tablet)
		})}, who: applicant(phone, byPIN), err: ErrNone},
		{name: "a PIN for this address", grants: []Grant{with(func(g *Grant) { g.MAC = phone })},
			who: applicant(phone, byPIN), want: 1},
		{name: "a PIN for another address", grants: []Grant{with(func(g *Grant) {
			g.MAC = tablet
		})}, who: applicant(phone, byPIN), err: ErrNone},
		{name: "a PIN at this access point", grants: []Grant{with(func(g *Grant) { g.Scope = 1 })},
			who: applicant(phone, byPIN), want: 1},
		{name: "a PIN at another access point",
			grants: []Grant{with(func(g *Grant) { g.Scope = 2 })}, who: applicant(phone, byPIN),
			err: ErrNone},
		{name: "its own PIN goes before one for any",
			grants: []Grant{with(func(g *Grant) { g.UUID = wsc.UUIDFromMAC(phone) }), any},
			who:    applicant(phone, byPIN), want: 1},
		{name: "the PIN of its address goes before one for any",
			grants: []Grant{with(func(g *Grant) { g.MAC = phone }), any},
			who:    applicant(phone, byPIN), want: 1},
		{name: "a PIN and a device that presses its button", grants: []Grant{any},
			who: applicant(phone, byButton), err: ErrNone},
		{name: "a button and a device with a PIN", grants: []Grant{button},
			who: applicant(phone, byPIN), err: ErrNone},
		{name: "a button and a device with one", grants: []Grant{any, button},
			who: applicant(phone, byButton), want: 2, id: byButton},
		{name: "a PIN that the user chose keeps its id", grants: []Grant{any},
			who: applicant(phone, wsc.PasswordIDUserSpecified), want: 1,
			id: wsc.PasswordIDUserSpecified},
		{name: "a rekey is refused", grants: []Grant{any},
			who: applicant(phone, wsc.PasswordIDRekey), err: ErrNone},
		{name: "a reserved id is refused", grants: []Grant{any}, who: applicant(phone, 9),
			err: ErrNone},
		{name: "a token that we know", grants: []Grant{any,
			with(func(g *Grant) { g.Password = token(t, 0x4711) })}, who: applicant(phone,
			0x4711), want: 2, id: 0x4711},
		{name: "a token that we know goes before a newer PIN",
			grants: []Grant{with(func(g *Grant) { g.Password = token(t, 0x4711) }), any},
			who:    applicant(phone, 0x4711), want: 1, id: 0x4711},
		{name: "a token that we do not know is offered a PIN", grants: []Grant{any},
			who: applicant(phone, 0x4712), want: 1},
		{name: "another token", grants: []Grant{with(func(g *Grant) {
			g.Password = token(t, 0x4711)
		})}, who: applicant(phone, 0x4712), err: ErrNone},
		{name: "a token with the key that it announces",
			grants: []Grant{with(func(g *Grant) {
				g.Password, g.KeyHash = token(t, 0x4711), &[20]byte{1}
			})}, who: applicant(phone, 0x4711), want: 1, id: 0x4711},
		{name: "a token with another key", grants: []Grant{with(func(g *Grant) {
			g.Password, g.KeyHash = token(t, 0x4711), &[20]byte{9}
		})}, who: applicant(phone, 0x4711), want: 1, err: ErrKeyHash},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var l List
			for i, g := range c.grants {
				if _, err := l.Add(ID(i+1), g); err != nil {
					t.Fatal(err)
				}
			}
			id, password, err := l.Take(epoch.Add(c.after), c.who)
			if id != c.want || !errors.Is(err, c.err) || password.ID != c.id {
				t.Fatalf("grant %d, id %v, %v", id, password.ID, err)
			}
			if err != nil {
				return
			}
			if !password.Value.Equal(c.grants[id-1].Password.Value) {
				t.Error("another password")
			}
			if _, _, err := l.Take(epoch, c.who); !errors.Is(err, ErrInUse) && len(c.grants) == 1 {
				t.Errorf("a second run at the same time: %v", err)
			}
		})
	}
}

func TestHowOftenAPasswordMayBeTried(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		password devpass.Password
		attempts []Attempt
		over     bool // after the last one
	}{
		{"a PIN that let its device in", pin("1"), []Attempt{Enrolled}, true},
		{"a PIN that proved wrong", pin("1"), []Attempt{Wrong}, true},
		{"a PIN of which both halves are out", pin("1"), []Attempt{SecondHalf}, true},
		{"a PIN of which one half is out", pin("1"), []Attempt{FirstHalf}, false},
		{"a PIN of which one half is out twice", pin("1"), []Attempt{FirstHalf, FirstHalf}, true},
		{"a PIN that was never shown", pin("1"),
			[]Attempt{Untried, Untried, Untried, Untried}, false},
		{"a button whose device was let in", devpass.PushButton(), []Attempt{Enrolled}, true},
		{"a button whose runs break off", devpass.PushButton(),
			[]Attempt{Wrong, SecondHalf, FirstHalf, FirstHalf}, false},
		{"a token that let its device in", token(t, 0x4711), []Attempt{Enrolled}, true},
		{"a token whose runs break off", token(t, 0x4711),
			[]Attempt{SecondHalf, FirstHalf, FirstHalf, Untried}, false},
		{"a token that proved wrong", token(t, 0x4711), []Attempt{Wrong}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var l List
			if _, err := l.Add(1,
				Grant{Password: c.password, Expires: epoch.Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
			for i, a := range c.attempts {
				id, password, err := l.Take(epoch, applicant(phone, c.password.ID))
				if err != nil {
					t.Fatalf("attempt %d: %v", i, err)
				}
				over := l.Release(id, a)
				if over != l.gone(password) || over != !l.Has(id) {
					t.Errorf("attempt %d: over %v, but the password is not treated so", i, over)
				}
				if want := c.over && i == len(c.attempts)-1; over != want {
					t.Errorf("attempt %d: over %v", i, over)
				}
			}
		})
	}
}

// gone reports whether a password that the list gave away was wiped.
func (l *List) gone(p devpass.Password) bool {
	return len(bytes.Trim(p.Value.Bytes(), "\x00")) == 0
}

func TestANewerGrantForTheSameTakesThePlaceOfTheOlder(t *testing.T) {
	t.Parallel()
	var l List
	add := func(id ID, g Grant) []ID {
		t.Helper()
		g.Expires = epoch.Add(time.Hour)
		replaced, err := l.Add(id, g)
		if err != nil {
			t.Fatal(err)
		}
		return replaced
	}
	add(1, Grant{Password: pin("1")})
	add(2, Grant{Password: pin("2"), MAC: phone})
	add(3, Grant{Password: devpass.PushButton()})
	add(4, Grant{Password: token(t, 0x4711)})
	if got := add(5, Grant{Password: token(t, 0x4712)}); got != nil {
		t.Errorf("another token replaces %v", got)
	}
	if got := add(6, Grant{Password: pin("6")}); !slices.Equal(got, []ID{1}) {
		t.Errorf("another PIN for any replaces %v", got)
	}
	if got := add(7, Grant{Password: pin("7"), Scope: 1}); got != nil {
		t.Errorf("a PIN for one access point replaces %v", got)
	}
	if _, _, err := l.Take(epoch, applicant(tablet, wsc.PasswordIDPushButton)); err != nil {
		t.Fatal(err)
	}
	if got := add(8, Grant{Password: devpass.PushButton()}); got != nil {
		t.Errorf("a button that a run uses is replaced: %v", got)
	}
}

func TestTheListIsBounded(t *testing.T) {
	t.Parallel()
	var l List
	for i := range MaxGrants {
		if _, err := l.Add(ID(i),
			Grant{Password: pin("1"), MAC: wsc.MAC{2, byte(i)}, Expires: epoch}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Add(MaxGrants, Grant{Password: pin("1"), Expires: epoch}); !errors.Is(err,
		ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	if l.Has(MaxGrants) {
		t.Error("one more is there")
	}
}

func TestGrantsExpireWhenNoRunUsesThem(t *testing.T) {
	t.Parallel()
	var l List
	for id, after := range map[ID]time.Duration{1: time.Minute, 2: 2 * time.Minute, 3: time.Hour} {
		if _, err := l.Add(id, Grant{Password: pin("1"), MAC: wsc.MAC{byte(id)},
			Expires: epoch.Add(after)}); err != nil {
			t.Fatal(err)
		}
	}
	if got := l.NextExpiry(); got != epoch.Add(time.Minute) {
		t.Errorf("the next expiry is %v", got)
	}
	if got := l.Expired(epoch.Add(time.Minute - 1)); got != nil {
		t.Errorf("expired too early: %v", got)
	}
	who := Applicant{Device: wsc.Device{MAC: wsc.MAC{1}}}
	if _, _, err := l.Take(epoch, who); err != nil {
		t.Fatal(err)
	}
	if got := l.Expired(epoch.Add(2 * time.Minute)); !slices.Equal(got, []ID{2}) {
		t.Errorf("expired: %v", got)
	}
	if got := l.NextExpiry(); got != epoch.Add(2*time.Minute) {
		t.Errorf("the next expiry is %v", got)
	}
	l.Release(1, Untried)
	l.Remove(2)
	if got := l.Expired(epoch.Add(2 * time.Minute)); !slices.Equal(got, []ID{1}) {
		t.Errorf("after its run: %v", got)
	}
}

func TestWhatAnAccessPointTells(t *testing.T) {
	t.Parallel()
	everybody := []wsc.MAC{wsc.Broadcast}
	of := func(mac wsc.MAC, p devpass.Password) Grant {
		return Grant{Password: p, MAC: mac, Expires: epoch.Add(time.Minute)}
	}
	six := []Grant{}
	for i := range 6 {
		six = append(six, of(wsc.MAC{2, byte(i)}, pin("1")))
	}
	cases := []struct {
		name   string
		grants []Grant
		after  time.Duration
		want   Selection
		ok     bool
	}{
		{name: "nothing"},
		{"a PIN for any", []Grant{of(wsc.MAC{}, pin("1"))}, 0,
			Selection{AuthorizedMACs: everybody}, true},
		{"a PIN for one", []Grant{of(phone, pin("1"))}, 0,
			Selection{AuthorizedMACs: []wsc.MAC{phone}}, true},
		{"one device twice", []Grant{of(phone, pin("1")), of(phone, devpass.PushButton())}, 0,
			Selection{PasswordID: wsc.PasswordIDPushButton, PushButton: true,
				AuthorizedMACs: []wsc.MAC{phone}}, true},
		{"PINs for two", []Grant{of(phone, pin("1")), of(tablet, pin("2"))}, 0,
			Selection{AuthorizedMACs: []wsc.MAC{phone, tablet}}, true},
		{"a PIN for one and one for any", []Grant{of(phone, pin("1")), of(wsc.MAC{}, pin("2"))}, 0,
			Selection{AuthorizedMACs: everybody}, true},
		{"more than fit", six, 0, Selection{AuthorizedMACs: everybody}, true},
		{"a button before a newer PIN",
			[]Grant{of(wsc.MAC{}, devpass.PushButton()), of(wsc.MAC{}, pin("2"))}, 0,
			Selection{PasswordID: wsc.PasswordIDPushButton, PushButton: true,
				AuthorizedMACs: everybody}, true},
		{"a token", []Grant{of(wsc.MAC{}, token(t, 0x4711))}, 0,
			Selection{PasswordID: 0x4711, AuthorizedMACs: everybody}, true},
		{"what is over", []Grant{of(phone, pin("1"))}, time.Minute, Selection{}, false},
		{"what is for another access point", []Grant{{Password: pin("1"), Scope: 2,
			Expires: epoch.Add(time.Hour)}}, 0, Selection{}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var l List
			for i, g := range c.grants {
				if _, err := l.Add(ID(i+1), g); err != nil {
					t.Fatal(err)
				}
			}
			s, ok := l.Selection(epoch.Add(c.after), 1)
			if ok != c.ok || s.PasswordID != c.want.PasswordID ||
				s.PushButton != c.want.PushButton ||
				!slices.Equal(s.AuthorizedMACs, c.want.AuthorizedMACs) {
				t.Errorf("%+v, %v", s, ok)
			}
		})
	}
}

func TestPBCMonitor(t *testing.T) {
	t.Parallel()
	a, b := wsc.UUIDFromMAC(phone), wsc.UUIDFromMAC(tablet)
	type heard struct {
		at   time.Duration
		who  wsc.UUID
		done bool // let in, not heard
	}
	cases := []struct {
		name  string
		heard []heard
		at    time.Duration
		want  bool
	}{
		{"nobody", nil, 0, false},
		{"one", []heard{{0, a, false}}, 0, false},
		{"one again and again", []heard{{0, a, false}, {time.Second, a, false}},
			time.Second, false},
		{"two", []heard{{0, a, false}, {time.Second, b, false}}, time.Second, true},
		{"two, the first two minutes ago", []heard{{0, a, false}, {time.Second, b, false}},
			WalkTime, false},
		{"two, the first just not two minutes ago", []heard{{0, a, false}, {time.Second, b, false}},
			WalkTime - 1, true},
		{"the first one was let in", []heard{{0, a, false}, {1, a, true}, {2, b, false}}, 3, false},
		{"a scan of the one that was let in",
			[]heard{{0, a, false}, {1, a, true}, {2, a, false}, {3, b, false}}, 4, false},
		{"the one that was let in presses again",
			[]heard{{0, a, true}, {6 * time.Second, a, false}, {7 * time.Second, b, false}},
			8 * time.Second, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var m Monitor
			for _, h := range c.heard {
				if h.done {
					m.Enrolled(epoch.Add(h.at), h.who)
				} else {
					m.Heard(epoch.Add(h.at), h.who)
				}
			}
			if got := m.Overlap(epoch.Add(c.at)); got != c.want {
				t.Errorf("overlap %v", got)
			}
			if !m.Silent(epoch.Add(c.at + WalkTime)) {
				t.Error("something is remembered after two minutes")
			}
		})
	}
	var m Monitor
	for i := range 1000 {
		m.Heard(epoch, wsc.UUID{byte(i), byte(i >> 8)})
	}
	if len(m.pressed) != maxPressed || !m.Overlap(epoch) {
		t.Errorf("%d of a thousand are remembered", len(m.pressed))
	}
}

// FuzzList: whatever is granted, taken and given back, a PIN that proved wrong or was shown is
// never given out again, what is in use is not given out twice, and what is over is gone.
func FuzzList(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5})
	f.Add([]byte{0x00, 0x10, 0x23, 0x01, 0x10, 0x22, 0x10, 0x22})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var l List
		now, next := epoch, ID(0)
		var taken []ID
		over := map[ID]bool{}
		for _, op := range ops {
			arg := op & 15
			switch op >> 4 {
			case 0, 1:
				next++
				p := pin("1")
				if arg&1 != 0 {
					p = devpass.PushButton()
				}
				g := Grant{Password: p, Expires: now.Add(time.Duration(arg) * time.Second)}
				if arg&2 != 0 {
					g.MAC = phone
				}
				replaced, err := l.Add(next, g)
				if err != nil && len(l.entries) != MaxGrants {
					t.Fatal(err)
				}
				for _, id := range replaced {
					over[id] = true
				}
			case 2, 3, 4:
				who := applicant(phone, wsc.PasswordIDDefault)
				if arg&1 != 0 {
					who.PasswordID = wsc.PasswordIDPushButton
				}
				id, p, err := l.Take(now, who)
				if err != nil {
					continue
				}
				if over[id] || slices.Contains(taken, id) || l.gone(p) {
					t.Fatalf("grant %d: over %v, in use %v", id, over[id], taken)
				}
				taken = append(taken, id)
			case 5, 6, 7:
				if len(taken) > 0 {
					id := taken[0]
					taken = taken[1:]
					a := Attempt(arg % 5)
					button := l.entries[l.index(id)].pushButton()
					ended := l.Release(id, a)
					if !ended && (a == Enrolled || !button && a >= SecondHalf) {
						t.Fatalf("grant %d goes on after %d", id, a)
					}
					over[id] = ended
				}
			default:
				now = now.Add(time.Duration(arg) * time.Second)
				for _, id := range l.Expired(now) {
					if slices.Contains(taken, id) {
						t.Fatalf("grant %d expires in use", id)
					}
					l.Remove(id)
					over[id] = true
				}
			}
		}
	})
}
