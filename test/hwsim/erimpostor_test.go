//go:build hwsim

package hwsim

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/controlpoint/controlpointtest"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// TestERImpostor: somebody at another address is hostapd by UUID, by BSSID and by every answer, and
// is heard first. Both are shown; the PIN is used at none of them until one is named by its
// address.
func TestERImpostor(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	p := w.startControlPoint()
	_, d := p.find()
	m1, err := upnp.GetDeviceInfo.ParseReply(
		p.do(upnp.Action{Name: upnp.GetDeviceInfo}.Request(d.Control), 200))
	w.must(err)
	uuid, err := wsc.ParseUUID(upnpUUID)
	w.must(err)
	h.stop()
	const real, impostorAt = "127.0.0.1", "127.0.1.66"
	impostor := controlpointtest.New(t, controlpointtest.Config{
		Address: netip.MustParseAddr(impostorAt), UUID: uuid,
		Act: func(upnp.Action) ([]byte, error) { return m1, nil },
	})
	r := w.startER()
	impostor.Announce(t, upnp.Alive)
	r.finds(upnpUUID, 10*time.Second)
	mark := r.signals.len()
	h = w.startAP(withUPnP(ap{}))
	r.client.wait(mark, 20*time.Second, "AccessPointAdded", func(g signal) bool {
		return g.Name == busName+".ER.AccessPointAdded"
	})

	at := map[string]godbus.ObjectPath{}
	for _, path := range r.property(r.iface(), "ER", "AccessPoints").([]godbus.ObjectPath) {
		address, others, problem := r.property(path, "ER.AccessPoint", "Address").(string),
			r.property(path, "ER.AccessPoint", "OtherAddresses"),
			r.property(path, "ER.AccessPoint", "Problem").(string)
		at[address] = path
		if want := map[string]string{real: impostorAt,
			impostorAt: real}[address]; !slices.Equal(others.([]string),
			[]string{want}) || !strings.Contains(problem, want) {
			t.Errorf("%s: others %v, problem %q", address, others, problem)
		}
	}
	if len(at) != 2 || at[real] == "" || at[impostorAt] == "" {
		t.Fatalf("found %v", at)
	}
	for _, name := range []string{upnpUUID, h.bssid} {
		r.refused("InvalidArguments", r.iface(), "ER.Learn", name, labelPIN, options())
		if _, err := r.client.call(r.iface(), "ER.Learn", name, labelPIN,
			options()); !strings.Contains(err.Error(), real) || !strings.Contains(err.Error(),
			impostorAt) {
			t.Errorf("%s: %v", name, err)
		}
		r.refused("InvalidArguments", r.iface(), "ER.Configure", name, labelPIN,
			options("ssid", []byte("new"), "auth", "OPEN", "encryption", "NONE"))
		r.refused("InvalidArguments", r.iface(), "ER.EnrollPbc", name, options())
	}
	if got := w.run("/in/wpsctl", "er", "learn", upnpUUID, labelPIN); got.status == 0 ||
		!strings.Contains(got.stderr, impostorAt) {
		t.Errorf("wpsctl er learn: %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	for _, call := range impostor.Calls() {
		if strings.HasPrefix(call, "PutMessage") {
			t.Error("the impostor was sent a message of a run")
		}
	}
	h.gives(r.er("Learn", real, labelPIN, options()).succeeds(oneRun))
	if !r.property(at[real], "ER.AccessPoint", "HasSettings").(bool) ||
		r.property(at[impostorAt], "ER.AccessPoint", "HasSettings").(bool) {
		t.Error("the settings are not those of the one that was learned")
	}
	if got := w.run("/in/wpsctl", "er", "learn", real, labelPIN); got.status != 0 {
		t.Errorf("wpsctl er learn %s: %d\n%s%s", real, got.status, got.stdout, got.stderr)
	}

	t.Log("the impostor goes: a UUID is enough again")
	mark = r.signals.len()
	time.Sleep(10 * time.Second) // for so long nobody is asked again
	impostor.Close()
	r.loses(mark, upnpUUID, 3*time.Minute)
	h.gives(r.er("Learn", upnpUUID, labelPIN, options()).succeeds(oneRun))
}
