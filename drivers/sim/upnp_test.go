package sim_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"wpsd/drivers/controlpoint/controlpointtest"
	"wpsd/drivers/sim"
	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

func TestUPnPLearnsAndConfigures(t *testing.T) {
	t.Parallel()
	r := onNetwork(t, nil)
	out := r.configures(rightPIN, nil)
	if out.Err != nil || out.APSettings == nil || string(out.APSettings.SSID) != "home" ||
		!out.APSettings.NetworkKey.Equal(passphrase) || !r.ap.Happened(sim.SettingsShown) {
		t.Fatalf("learned %+v", out)
	}
	settings := wsc.Credential{SSID: []byte("new name"), AuthType: wsc.AuthWPA2PSK,
		EncrType: wsc.EncrAES, NetworkKey: secret.FromString("another passphrase")}
	if out := r.configures(rightPIN, &settings); out.Err != nil {
		t.Fatalf("configured: %v", out.Err)
	}
	for end := time.Now().Add(patience); r.ap.Status().SSID != "new name" ||
		!r.ap.Key().Equal(settings.NetworkKey); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after Configure: %+v", r.ap.Status())
		}
	}
	for range 3 {
		if out := r.configures(wrongSecond, nil); !errors.Is(out.Err, registration.ErrPassword) &&
			!errors.Is(out.Err, registration.ErrNack) {
			t.Errorf("with a wrong PIN: %v", out.Err)
		}
	}
	if !r.ap.Status().SetupLocked {
		t.Error("three wrong PINs do not lock the setup")
	}
	if out := r.configures(rightPIN, nil); out.APSettings != nil {
		t.Error("locked, it shows its settings")
	}
}

func TestUPnPEnrolsADevice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		password devpass.Password
		selected wsc.SelectedRegistrar
	}{
		{"by PIN", rightPIN, wsc.SelectedRegistrar{Selected: true, ConfigMethods: wsc.ConfigLabel,
			AuthorizedMACs: []wsc.MAC{cameraMAC}}},
		{"by PIN for anybody", rightPIN, wsc.SelectedRegistrar{Selected: true,
			ConfigMethods: wsc.ConfigLabel, AuthorizedMACs: []wsc.MAC{wsc.Broadcast}}},
		{"by push button", devpass.PushButton(), wsc.SelectedRegistrar{
			Selected: true, DevicePasswordID: wsc.PasswordIDPushButton,
			ConfigMethods: wsc.ConfigPhysicalPushButton, AuthorizedMACs: []wsc.MAC{wsc.Broadcast},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := onNetwork(t, nil)
			r.subscribe()
			e := r.camera()
			r.do(r.selects(c.selected))
			if _, a := r.bss(homeBSSID); !a.SelectedRegistrar ||
				a.DevicePasswordID != c.password.ID ||
				!slices.Equal(a.AuthorizedMACs, c.selected.AuthorizedMACs) {
				t.Errorf("the elements say %+v", a)
			}
			if c.password.ID == wsc.PasswordIDPushButton {
				r.do(e.PressButton())
			} else {
				r.do(e.UsePIN(c.password.Value))
			}
			probe, err := wsc.ParseProbeRequest(r.tells(upnp.EventProbe, e.MAC()))
			if err != nil || probe.Device.DeviceName != "camera" ||
				probe.DevicePasswordID != c.password.ID {
				t.Errorf("the probe request: %+v, %v", probe, err)
			}
			if out := r.enrols(e, c.password); out.Err != nil {
				t.Errorf("the Registrar: %v", out.Err)
			}
			if result := r.isIn(e, r.ap); result.Registrar != registrarUUID {
				t.Errorf("let in by %v", result.Registrar)
			}
			if !r.ap.Happened(sim.Enrolled) || r.ap.Happened(sim.RunFailed) {
				t.Errorf("the access point: %+v", r.ap.Events())
			}
			r.do(r.selects(wsc.SelectedRegistrar{}))
			if _, a := r.bss(homeBSSID); a.SelectedRegistrar {
				t.Error("it is selected still")
			}
		})
	}
}

func TestUPnPWithAWrongPIN(t *testing.T) {
	t.Parallel()
	r := onNetwork(t, nil)
	r.subscribe()
	e := r.camera()
	r.do(r.selects(wsc.SelectedRegistrar{Selected: true, AuthorizedMACs: []wsc.MAC{wsc.Broadcast}}))
	r.do(e.UsePIN(wrongSecond.Value))
	if out := r.enrols(e, rightPIN); out.Err == nil {
		t.Error("the Registrar let it in")
	}
	r.ends(e, registration.ErrPassword)
	last := sim.Event{}
	for _, e := range r.ap.Events() {
		if e.Kind == sim.RunFailed {
			last = e
		}
	}
	if last.ConfigError != wsc.ConfigErrorDevicePasswordAuthFailure || last.Message < wsc.MsgM6 {
		t.Errorf("the access point: %+v", last)
	}
}

func TestUPnPLeavesAloneWhomTheAccessPointKnows(t *testing.T) {
	t.Parallel()
	r := onNetwork(t, nil)
	r.subscribe()
	e := r.camera()
	r.do(r.ap.SetPIN(rightPIN.Value))
	r.do(e.UsePIN(rightPIN.Value))
	m1, err := wsc.ParseM1(r.tells(upnp.EventMessage, e.MAC()))
	if err != nil || m1.Device.DeviceName != "camera" {
		t.Errorf("M1: %+v, %v", m1, err)
	}
	if result := r.isIn(e, r.ap); result.Registrar != wsc.UUIDFromMAC(homeBSSID) {
		t.Errorf("let in by %v", result.Registrar)
	}
	_, err = r.call(upnp.Action{Name: upnp.PutWLANResponse, Type: upnp.EventMessage, MAC: e.MAC(),
		Message: (&wsc.M2D{EnrolleeNonce: m1.EnrolleeNonce}).Append(nil)})
	if f, ok := errors.AsType[*upnp.Fault](err); !ok || f.Code != 501 {
		t.Errorf("a message for nobody: %v", err)
	}
}

// TestUPnPConforms holds the simulated access point against the table that hostapd itself is held
// against in the virtual machine.
func TestUPnPConforms(t *testing.T) {
	t.Parallel()
	r := onNetwork(t, nil)
	controlpointtest.Conform(t, controlpointtest.Peer{
		Address: r.ap.UPnP().Host.Addr(), UUID: wsc.UUIDFromMAC(homeBSSID), BSSID: homeBSSID,
		FriendlyName: "home", Location: r.ap.UPnP,
	})
}

func TestUPnPRefuses(t *testing.T) {
	t.Parallel()
	r := onNetwork(t, func(o *sim.APOptions) { o.APPIN = secret.Value{} })
	ack := (&wsc.Ack{EnrolleeNonce: wsc.Nonce{1}}).Append(nil)
	for _, c := range []struct {
		name string
		upnp.Action
		code int
	}{
		{"its settings without a PIN", upnp.Action{Name: upnp.GetDeviceInfo}, 501},
		{"a message that is none",
			upnp.Action{Name: upnp.PutMessage, Message: []byte{1, 2, 3}}, 600},
		{"a message of no run", upnp.Action{Name: upnp.PutMessage, Message: ack}, 501},
		{"a message for a station that is not there",
			upnp.Action{Name: upnp.PutWLANResponse, Type: upnp.EventMessage, MAC: cameraMAC,
				Message: ack}, 501},
		{"to select a Registrar without subscription",
			upnp.Action{Name: upnp.SetSelectedRegistrar,
				Message: (&wsc.SelectedRegistrar{Selected: true}).Append(nil)}, 501},
		{"to select a Registrar with anything",
			upnp.Action{Name: upnp.SetSelectedRegistrar, Message: []byte{0x10, 0x41, 0, 9}}, 600},
	} {
		_, err := r.call(c.Action)
		if f, ok := errors.AsType[*upnp.Fault](err); !ok || f.Code != c.code {
			t.Errorf("%s: %v, not error %d", c.name, err, c.code)
		}
	}
}

func TestUPnPComesAndGoes(t *testing.T) {
	t.Parallel()
	r := onNetwork(t, nil)
	at := r.ap.UPnP().Host.Addr()
	r.subscribe()
	r.do(r.selects(wsc.SelectedRegistrar{Selected: true, AuthorizedMACs: []wsc.MAC{wsc.Broadcast}}))
	command := func(lines ...string) func() {
		return func() {
			for _, line := range lines {
				r.do(r.w.Command(line))
			}
		}
	}
	before := r.ap.UPnP()
	r.hears(at, upnp.Byebye, command("restart home"))
	if _, a := r.bss(homeBSSID); a.SelectedRegistrar {
		t.Error("after the restart a Registrar is selected")
	}
	if a := r.hears(at, upnp.Alive, command("restart home")); a.Location == before {
		t.Error("after the restart it is at the same port")
	}
	r.do(r.w.Command("leave home"))
	if !r.ap.UPnP().IsZero() {
		t.Error("it is on the network")
	}
	r.hears(at, upnp.Byebye, command("on home", "leave home"))
	r.do(r.w.Command("on home"))
	r.control.Host, r.event.Host = r.ap.UPnP().Host, r.ap.UPnP().Host
	r.subscribe()
	r.do(r.selects(wsc.SelectedRegistrar{Selected: true}))
	r.ask(upnp.Unsubscribe(r.event, r.sid))
	if _, a := r.bss(homeBSSID); a.SelectedRegistrar {
		t.Error("a Registrar without subscription is selected")
	}
	r.do(r.w.Command("off home"))
	if _, err := r.p.Do(t.Context(),
		upnp.GetDescription(upnp.URL{Host: r.control.Host, Path: "/wps_device.xml"})); err == nil {
		t.Error("switched off, it answers")
	}
}

func TestUPnPOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	w := sim.NewWorld(sim.WorldOptions{})
	r := roomIn(t, w)
	if sim0, other := r.d.Network("sim0"), r.d.Network("eth0"); sim0 != "lo" || other != "eth0" {
		t.Errorf("sim0 is on %s, eth0 on %s", sim0, other)
	}
	for _, bad := range []string{"192.0.2.1", "::1", "0.0.0.0"} {
		if err := w.ServeUPnP(netip.MustParseAddr(bad)); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
	if err := w.ServeUPnP(netip.Addr{}); err == nil {
		t.Error("no address is accepted")
	}
	last := netip.MustParseAddr("127.255.255.255")
	if err := w.ServeUPnP(last); err != nil {
		t.Fatal(err)
	}
	if err := w.ServeUPnP(last); err == nil {
		t.Error("on two networks")
	}
}
