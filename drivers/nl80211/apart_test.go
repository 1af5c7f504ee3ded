package nl80211

import (
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

func TestAStationApart(t *testing.T) {
	k := new(fakeKernel)
	d := newFakeDriver(t, k)
	s, err := d.StationApart(t.Context(), fakeName)
	if err != nil {
		t.Fatal(err)
	}
	own := s.HardwareAddr()
	if own == fakeAddress || own[0]&3 != 2 {
		t.Errorf("its address is %x beside %x", own, fakeAddress)
	}
	if list, err := d.Interfaces(t.Context()); err != nil || len(list) != 1 ||
		list[0].Name != fakeName {
		t.Errorf("listed are %+v, %v", list, err)
	}
	if _, err := d.Station(t.Context(), fakeName); err != nil {
		t.Errorf("the interface itself is not free: %v", err)
	}
	second, err := d.StationApart(t.Context(), fakeName)
	if err != nil {
		t.Fatalf("a second one: %v", err)
	}
	for _, s := range []drivers.Station{s, second} {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if len(k.apart) > 0 || len(d.apart) > 0 {
		t.Errorf("left behind: %+v, %v", k.apart, d.apart)
	}
}

func TestStationApartThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		name   string
		refuse syscall.Errno
		same   bool
		ifname string
		times  int // that it is tried
		want   error
	}{
		{name: "a radio that has one interface only", refuse: unix.EOPNOTSUPP, times: 1,
			want: drivers.ErrNotSupported},
		{name: "a name that is taken is not the last one", refuse: unix.EEXIST, times: maxApart,
			want: unix.EEXIST},
		{name: "we may not", refuse: unix.EPERM, times: 1, want: unix.EPERM},
		{name: "an address that is not its own", same: true, times: 1,
			want: drivers.ErrNotSupported},
		{name: "no such interface", ifname: "wlan9", want: drivers.ErrNoInterface},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &fakeKernel{sameAddr: c.same, answer: func(command uint8, _ []byte) syscall.Errno {
				if command == unix.NL80211_CMD_NEW_INTERFACE {
					return c.refuse
				}
				return 0
			}}
			d := newFakeDriver(t, k)
			if c.ifname == "" {
				c.ifname = fakeName
			}
			if _, err := d.StationApart(t.Context(), c.ifname); !errors.Is(err, c.want) {
				t.Errorf("StationApart: %v, not %v", err, c.want)
			}
			if n := k.count(unix.NL80211_CMD_NEW_INTERFACE); n != c.times || len(k.apart) > 0 ||
				len(d.apart) > 0 {
				t.Errorf("tried %d times; left behind: %+v, %v", n, k.apart, d.apart)
			}
		})
	}
}

func TestLinkKeeper(t *testing.T) {
	k := new(fakeKernel)
	d := newFakeDriver(t, k)
	if up, err := d.LinkUp(t.Context(), fakeName); up || err != nil {
		t.Errorf("a link that is down: %v, %v", up, err)
	}
	k.set(func(k *fakeKernel) { k.up, k.ssid = true, []byte("somebody's") })
	if up, err := d.LinkUp(t.Context(), fakeName); !up || err != nil {
		t.Errorf("a link that is up: %v, %v", up, err)
	}
	if err := d.LinkDown(t.Context(), fakeName); err != nil || !k.up {
		t.Errorf("a link in somebody's network was taken down: %v", err)
	}
	k.set(func(k *fakeKernel) { k.ssid = nil })
	if err := d.LinkDown(t.Context(), fakeName); err != nil || k.up {
		t.Errorf("a link in no network is still up: %v", err)
	}
	if err := d.LinkDown(t.Context(), "wlan9"); !errors.Is(err, drivers.ErrNoInterface) {
		t.Errorf("no such interface: %v", err)
	}
}
