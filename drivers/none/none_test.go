package none

import (
	"context"
	"errors"
	"testing"

	"wpsd/drivers"
)

func TestInterfacesListsTheGivenNamesOnceAndInOrder(t *testing.T) {
	d := New([]string{"lo", "absent0", "lo"})
	list, err := d.Interfaces(context.Background())
	if err != nil || len(list) != 2 {
		t.Fatalf("Interfaces: %v, %v", list, err)
	}
	if list[0].Name != "lo" || list[0].Mode != drivers.ModeNone || list[0].Index == 0 {
		t.Errorf("the loopback interface is %+v", list[0])
	}
	if want := (drivers.Interface{Name: "absent0"}); list[1] != want {
		t.Errorf("the absent interface is %+v", list[1])
	}
}

func TestStation(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		ifname string
		closed bool
		want   error
	}{
		{name: "a given interface has no radio", ctx: context.Background(), ifname: "lo",
			want: drivers.ErrNotSupported},
		{name: "an interface that was not given is unknown", ctx: context.Background(),
			ifname: "eth7", want: drivers.ErrNoInterface},
		{name: "a cancelled context is told", ctx: cancelled, ifname: "lo", want: context.Canceled},
		{name: "a closed driver is told", ctx: context.Background(), ifname: "lo", closed: true,
			want: drivers.ErrClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := New([]string{"lo"})
			if c.closed {
				if err := d.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if s, err := d.Station(c.ctx, c.ifname); !errors.Is(err, c.want) || s != nil {
				t.Errorf("Station: %v, %v, not %v", s, err, c.want)
			}
		})
	}
}

func TestAClosedDriverListsNothing(t *testing.T) {
	d := New([]string{"lo"})
	d.Close()
	if _, err := d.Interfaces(context.Background()); !errors.Is(err, drivers.ErrClosed) {
		t.Errorf("Interfaces: %v, not ErrClosed", err)
	}
	select {
	case <-d.Changed():
		t.Error("Changed told a change")
	default:
	}
}

func TestNamesComeAndGo(t *testing.T) {
	d := New([]string{"lo"})
	if err := d.Add("absent0"); err != nil {
		t.Fatal(err)
	}
	if err := d.Add("lo"); !errors.Is(err, drivers.ErrBusy) {
		t.Errorf("a name for the second time: %v", err)
	}
	select {
	case <-d.Changed():
	default:
		t.Error("nothing is told")
	}
	list, err := d.Interfaces(context.Background())
	if err != nil || len(list) != 2 || list[1].Name != "absent0" {
		t.Errorf("%v, %v", list, err)
	}
	if err := d.Remove("lo"); err != nil {
		t.Error(err)
	}
	if err := d.Remove("lo"); !errors.Is(err, drivers.ErrNoInterface) {
		t.Errorf("removed twice: %v", err)
	}
}
