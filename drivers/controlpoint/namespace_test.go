package controlpoint

import (
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/netlink"

	"wpsd/drivers/controlpoint/controlpointtest"
	"wpsd/engine/upnp"
)

const insideNamespace = "CONTROLPOINT_TEST_NAMESPACE"

// inNamespace runs the test again in a network of its own, where it may make interfaces. It reports
// whether this is that run. The whole process has to be inside: a namespace belongs to a thread,
// and Go moves goroutines between them.
func inNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideNamespace) != "" {
		ip(t, "link set lo up")
		return true
	}
	if os.Getuid() != 0 {
		t.Skip("needs root, for network interfaces of its own")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs the ip program:", err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), insideNamespace+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(err.Error(), "operation not permitted") {
		t.Skip("may not make a network namespace:", err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

func ip(t *testing.T, arguments string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(arguments)...).CombinedOutput(); err != nil {
		if strings.Contains(string(out), "Unknown device type") ||
			strings.Contains(string(out), "not supported") {
			t.Skip("the kernel has no such interfaces:", arguments)
		}
		t.Fatalf("ip %s: %v\n%s", arguments, err, out)
	}
}

// silence fails if anything is heard from an address within a while.
func silence(t *testing.T, p *ControlPoint, from netip.Addr) {
	t.Helper()
	late := time.After(300 * time.Millisecond)
	for {
		select {
		case a := <-p.Heard():
			if a.From == from {
				t.Fatalf("heard %+v", a)
			}
		case <-late:
			return
		}
	}
}

func changed(t *testing.T, p *ControlPoint) {
	t.Helper()
	select {
	case <-p.Changed():
	case <-time.After(patience):
		t.Fatal("no change was told")
	}
}

// TestOneInterface has two networks, each a pair of interfaces of which one is ours and one the
// access point's. Both ends are on this machine, and another program (the other ControlPoint) has
// joined the group on the other interface.
func TestOneInterface(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, n := range []string{"a", "b"} {
		ip(t, "link add "+n+"0 type veth peer name "+n+"1")
	}
	ip(t, "address add 10.1.0.1/24 dev a0")
	// all of them are neighbours here: what keeps them out is the socket
	ip(t, "address add 10.2.0.1/8 dev b0")
	ip(t, "link set a0 up")
	ip(t, "link set a1 up")
	ip(t, "link set b0 up")
	ip(t, "link set b1 up")
	open := func(name string) *ControlPoint {
		p, err := Open(Config{Interface: name})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close() })
		return p
	}
	a, b := open("a0"), open("b0")

	ours := netip.MustParseAddr("10.1.0.1")
	ap := controlpointtest.New(t, controlpointtest.Config{Interface: "a0", Address: ours})
	ap.Announce(t, upnp.Alive) // loops back on a0, as from a hostapd of this machine
	if got := hear(t, a, ours); got.Location != ap.Location() {
		t.Errorf("%+v", got)
	}
	silence(t, b, ours)

	u := upnp.URL{Host: netip.MustParseAddrPort("10.2.0.1:80"), Path: "/"}
	if _, err := a.Do(t.Context(), upnp.GetDescription(u)); err != ErrElsewhere {
		t.Errorf("a request to the other network: %v", err)
	}
}

func TestFollowsTheAddress(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	ip(t, "link add a0 type veth peer name a1")
	ip(t, "link set a1 up")
	p, err := Open(Config{Interface: "a0"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	works := func(address string) {
		t.Helper()
		changed(t, p)
		deadline := time.Now().Add(patience)
		for { // several changes may have been told as one
			b := p.binding()
			if b != nil && b.address == netip.MustParseAddr(address) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("not at %s", address)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if err := p.Search(t.Context()); err != nil {
			t.Error(err)
		}
	}
	gone := func() {
		t.Helper()
		changed(t, p)
		if err := p.Search(t.Context()); err != ErrNoAddress {
			t.Errorf("searches without address: %v", err)
		}
	}
	if err := p.Search(t.Context()); err != ErrNoAddress {
		t.Errorf("searches without address: %v", err)
	}
	ip(t, "address add 10.1.0.1/24 dev a0")
	ip(t, "link set a0 up")
	works("10.1.0.1")

	t.Log("a second address changes who is a neighbour")
	ip(t, "address add 10.9.0.1/24 dev a0")
	works("10.1.0.1")
	t.Log("the first address goes")
	ip(t, "address del 10.1.0.1/24 dev a0")
	works("10.9.0.1")
	t.Log("down and up")
	ip(t, "link set a0 down")
	gone()
	ip(t, "link set a0 up")
	works("10.9.0.1")
	t.Log("removed, and there again")
	ip(t, "link del a0")
	gone()
	ip(t, "link add a0 type veth peer name a1")
	ip(t, "link set a1 up")
	ip(t, "address add 10.3.0.1/24 dev a0")
	ip(t, "link set a0 up")
	works("10.3.0.1")
}

func TestNewsOfOtherInterfaces(t *testing.T) {
	t.Parallel()
	of := func(index byte) netlink.Message {
		return netlink.Message{Data: []byte{0, 0, 1, 0, index, 0, 0, 0, 0, 0}}
	}
	for _, c := range []struct {
		name string
		news []netlink.Message
		want bool
	}{
		{"ours", []netlink.Message{of(5)}, true},
		{"another's", []netlink.Message{of(6)}, false},
		{"ours behind another's", []netlink.Message{of(6), of(5)}, true},
		{"none", nil, false},
		{"too short to know", []netlink.Message{{Data: make([]byte, 7)}}, true},
	} {
		if concerns(c.news, 5) != c.want {
			t.Error(c.name)
		}
	}
}
