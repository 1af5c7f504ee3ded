package nl80211

import (
	"os"
	"testing"
	"testing/synctest"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

// TestRadiosAreAskedAgainWhenSomethingChanges: what a radio can do is asked for once, and once more
// after whatever may have changed it.
func TestRadiosAreAskedAgainWhenSomethingChanges(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(k *fakeKernel, d *Driver, s drivers.Station)
		asked  int // times in all
	}{
		{name: "nothing", change: func(*fakeKernel, *Driver, drivers.Station) {}, asked: 1},
		{name: "a country was set", asked: 2,
			change: func(k *fakeKernel, _ *Driver, _ drivers.Station) {
				k.tell(fakeFamily, unix.NL80211_CMD_REG_CHANGE, nil)
			}},
		{name: "the country of one radio was set", asked: 2,
			change: func(k *fakeKernel, _ *Driver, _ drivers.Station) {
				k.tell(fakeFamily, unix.NL80211_CMD_WIPHY_REG_CHANGE, nil)
			}},
		{name: "a beacon opened a channel", asked: 2,
			change: func(k *fakeKernel, _ *Driver, _ drivers.Station) {
				k.tell(fakeFamily, unix.NL80211_CMD_REG_BEACON_HINT, nil)
			}},
		{name: "another radio came", asked: 2,
			change: func(k *fakeKernel, _ *Driver, _ drivers.Station) {
				k.tell(fakeFamily, unix.NL80211_CMD_NEW_WIPHY, nil)
			}},
		{name: "news were lost", asked: 2,
			change: func(_ *fakeKernel, d *Driver, _ drivers.Station) {
				d.watch.config.(*fakeSocket).queue <- fakeItem{err: &netlink.OpError{Op: "receive",
					Err: os.NewSyscallError("recvmsg", unix.ENOBUFS)}}
			}},
		{name: "there are no news any more: each time", asked: 4,
			change: func(_ *fakeKernel, d *Driver, _ drivers.Station) {
				d.watch.config.(*fakeSocket).queue <- fakeItem{err: os.ErrDeadlineExceeded}
			}},
		{name: "a scan was refused", asked: 2,
			change: func(k *fakeKernel, _ *Driver, s drivers.Station) {
				k.set(func(k *fakeKernel) {
					k.answer = func(command uint8, _ []byte) unix.Errno {
						if command == unix.NL80211_CMD_TRIGGER_SCAN {
							return unix.EINVAL
						}
						return 0
					}
				})
				if _, err := s.Scan(t.Context(), drivers.ScanRequest{}); err == nil {
					t.Error("the scan was not refused")
				}
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := new(fakeKernel)
				d := newFakeDriver(t, k)
				s, err := d.Station(t.Context(), fakeName)
				if err != nil {
					t.Fatal(err)
				}
				ask := func() {
					if _, err := s.Channels(t.Context()); err != nil {
						t.Error(err)
					}
				}
				ask()
				synctest.Wait()
				c.change(k, d, s)
				synctest.Wait()
				for range 3 {
					ask()
				}
				if got := k.count(unix.NL80211_CMD_GET_WIPHY); got != c.asked {
					t.Errorf("asked %d times, not %d", got, c.asked)
				}
			})
		})
	}
}

// TestRadiosForgetWhatChangedMeanwhile: an answer that a change has overtaken is not remembered.
func TestRadiosForgetWhatChangedMeanwhile(t *testing.T) {
	r := radios{}
	r.follow(true)
	_, asked := r.get(1)
	r.forget()
	r.put(1, new(capabilities), asked)
	if c, _ := r.get(1); c != nil {
		t.Error("it is remembered")
	}
	_, asked = r.get(1)
	if r.put(1, new(capabilities), asked); r.known[1] == nil {
		t.Error("what has not changed is not remembered")
	}
}
