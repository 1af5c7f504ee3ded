package station

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/devpass"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/agents"
	"wpsd/service/air"
	"wpsd/service/arrival"
	"wpsd/service/ending"
	"wpsd/service/lending"
	"wpsd/service/outcome"
	"wpsd/service/radio"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
	"wpsd/service/tags"
)

var (
	laptop = wsc.MAC{2, 0, 0, 0, 0, 1}
	home   = wsc.MAC{2, 0, 0, 0, 1, 0}
)

const labelPIN = "12345670"

// bench is Stations without a hub: one radio in a simulated world, and what a run leaves behind.
type bench struct {
	*testing.T
	*Stations
	world *sim.World
	iface Interface
	table *session.Table
	sub   *state.Subscription
}

// keepTag keeps the password of a tag, as if it had been read, until the bench is over.
func (b *bench) keepTag(id wsc.DevicePasswordID) {
	b.Helper()
	if err := b.Tags.Keep(&ndef.PasswordToken{ID: id, Password: secret.New(make([]byte, 16))},
		nil); err != nil {
		b.Fatal(err)
	}
}

// Processing implements arrival.Hub.
func (b *bench) Processing() state.Processing { return state.ProcessingInternal }

// SAEOnly implements arrival.Hub.
func (b *bench) SAEOnly(_ string, ssid []byte) bool { return b.iface.Air.WPA3Only(ssid) }

// CredentialsWaiting implements agents.Hub.
func (b *bench) CredentialsWaiting(int) {}

// AgentEnded implements agents.Hub.
func (b *bench) AgentEnded() {}

// onBench runs a scene in virtual time, and checks that the interface was given back.
func onBench(t *testing.T, run func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, world: sim.NewWorld(sim.WorldOptions{})}
		if err := b.world.AddRadio(sim.Radio{Name: "wlan0", MAC: laptop}); err != nil {
			t.Fatal(err)
		}
		driver, err := sim.New(sim.Options{World: b.world})
		if err != nil {
			t.Fatal(err)
		}
		defer driver.Close()
		log := slog.New(slog.DiscardHandler)
		published, kept := state.New(state.Manager{}), store.Memory()
		_, b.sub = published.Subscribe()
		b.table = session.New(published, log, func(_ *session.Running, finish func() bool) {
			finish()
		})
		defer b.table.Close()
		told := agents.New(b, log)
		defer told.Close(errors.New("the end"))
		b.Stations = New(Config{
			Managers: lending.New(lending.Config{Log: log}),
			Arrivals: arrival.New(arrival.Config{Hub: b, Store: kept, Published: published,
				Agents: told, Log: log}),
			Store: kept, Published: published, Device: device,
			Tags: tags.New(log, func() {}), Rand: rand.Reader, Log: log,
		})
		b.iface = Interface{Name: "wlan0", Driver: driver, Air: air.New(published, "wlan0"),
			Turn: make(radio.Turn, 1)}
		defer b.Tags.Wipe()
		run(b)
		if r, there := b.world.RadioState("wlan0"); !there || r.Up || r.Taken ||
			len(b.iface.Turn) != 0 {
			t.Errorf("the interface was not given back as it was: %+v", r)
		}
	})
}

// device is what we say of ourselves.
func device(own wsc.MAC) wsc.Device {
	return wsc.Device{UUID: wsc.UUIDFromMAC(laptop), MAC: own, Manufacturer: "m", ModelName: "n",
		ModelNumber: "1", SerialNumber: "1", DeviceName: "laptop", Version2: wsc.Version20,
		ConfigMethods: wsc.DefaultConfigMethods, AuthTypes: wsc.AuthCapabilities,
		EncrTypes: wsc.EncrCapabilities, ConnTypes: wsc.ConnESS, State: wsc.NotConfigured}
}

// ap is an access point named home, with WPA2 and a PIN of its own.
func (b *bench) ap() *sim.AP {
	b.Helper()
	ap, err := b.world.AddAP(sim.APOptions{SSID: "home", Security: sim.WPA2,
		Key: secret.FromString("correct horse"), APPIN: secret.FromString(labelPIN),
		BSSs: []sim.BSS{{BSSID: home, Frequency: 2437}}})
	if err != nil {
		b.Fatal(err)
	}
	return ap
}

// session runs a task until its end, or until ctx ends.
func (b *bench) session(ctx context.Context, r session.StartRequest, t session.Task) state.Session {
	b.Helper()
	now := time.Now()
	ses := b.table.Prepare(state.Session{Interface: "wlan0", Role: t.Role(), Purpose: t.Purpose,
		Method: t.Method, State: state.StateScanning, Started: now,
		Deadline: now.Add(session.WalkTime), Wanted: r.BSSID})
	ctx, ses.Cancel = context.WithCancelCause(ctx)
	b.table.Add(ses)
	b.Enrolment(Job{Interface: b.iface, Session: ses, Request: r, Task: t,
		Device: device(laptop)}).Run(ctx)
	ended, ok := b.Published.Session(ses.ID)
	if !ok {
		b.Fatal("the session is not there")
	}
	return ended
}

// events gives those of a kind that were told so far.
func events[E state.Event](b *bench) (list []E) {
	for e, ok := b.sub.TryNext(); ok; e, ok = b.sub.TryNext() {
		if one, is := e.(E); is {
			list = append(list, one)
		}
	}
	return list
}

// enrol is the task of joining a network; a zero PIN stands for the push button.
func enrol(pin string) session.Task {
	if pin == "" {
		return session.Task{Purpose: state.PurposeEnroll, Method: state.MethodPBC,
			Password: devpass.PushButton()}
	}
	return session.Task{Purpose: state.PurposeEnroll, Method: state.MethodPIN,
		Password: devpass.FromPIN(secret.FromString(pin))}
}

// TestRuns: each kind of session, from the first look until it is over.
func TestRuns(t *testing.T) {
	t.Parallel()
	atHome := session.StartRequest{BSSID: home, PIN: secret.FromString(labelPIN)}
	for name, run := range map[string]func(*bench){
		"a button that is pressed gives the network": func(b *bench) {
			if err := b.ap().PressButton(); err != nil {
				b.Fatal(err)
			}
			s := b.session(b.Context(), session.StartRequest{}, enrol(""))
			kept := b.Store.Networks()
			if s.State != state.StateSucceeded || s.Peer != home || len(kept) != 1 ||
				string(kept[0].SSID) != "home" || kept[0].BSSID != home || kept[0].Source != "pbc" {
				b.Errorf("%+v: %+v", s, kept)
			}
			if n := len(events[state.AccessPointAdded](b)); n != 1 {
				b.Errorf("%d access points were told of", n)
			}
		},
		"a button that nobody presses ends with the walk time": func(b *bench) {
			b.ap()
			began := time.Now()
			s := b.session(b.Context(), session.StartRequest{}, enrol(""))
			if s.Reason != outcome.ReasonWalkTime || time.Since(began) != session.WalkTime {
				b.Errorf("%s after %v", s.Reason, time.Since(began))
			}
		},
		"a wrong PIN is told with the run that it failed in": func(b *bench) {
			if err := b.ap().SetPIN(secret.FromString(labelPIN)); err != nil {
				b.Fatal(err)
			}
			s := b.session(b.Context(), session.StartRequest{BSSID: home}, enrol("98765430"))
			failed := events[state.RunFailed](b)
			if s.Reason != outcome.ReasonWrongPINFirst || len(failed) == 0 ||
				failed[0].Peer != home ||
				failed[0].ConfigError != wsc.ConfigErrorDevicePasswordAuthFailure {
				b.Errorf("%+v: %+v", s, failed)
			}
		},
		"an access point's settings are learned": func(b *bench) {
			b.ap()
			b.keepTag(77) // which a run by PIN leaves
			task, err := b.Learn(atHome)
			if err != nil {
				b.Fatal(err)
			}
			s := b.session(b.Context(), atHome, task)
			if kept := b.Store.Networks(); s.State != state.StateSucceeded || len(kept) != 1 ||
				kept[0].Source != "learn" || b.Tags.Count() != 1 {
				b.Errorf("%+v: %+v", s, kept)
			}
		},
		"it takes new ones": func(b *bench) {
			ap := b.ap()
			task, err := b.Configure(atHome, session.Settings{SSID: []byte("cabin"),
				Auth: wsc.AuthWPA2PSK, Encryption: wsc.EncrAES, Key: secret.FromString("12345678")})
			if err != nil {
				b.Fatal(err)
			}
			s := b.session(b.Context(), atHome, task)
			time.Sleep(time.Second) // it restarts with them
			if kept := b.Store.Networks(); s.State != state.StateSucceeded || len(kept) != 1 ||
				string(kept[0].SSID) != "cabin" || kept[0].Source != "configure" ||
				ap.Status().SSID != "cabin" {
				b.Errorf("%+v: %+v", s, kept)
			}
		},
		"a session that is canceled while it looks says so at once": func(b *bench) {
			b.ap()
			ctx, cancel := context.WithCancelCause(b.Context())
			time.AfterFunc(10*time.Second, func() { cancel(ending.ErrCanceled) })
			began := time.Now()
			s := b.session(ctx, session.StartRequest{}, enrol(""))
			if s.State != state.StateCanceled || time.Since(began) > 11*time.Second {
				b.Errorf("%+v after %v", s, time.Since(began))
			}
		},
		"a session waits for its turn, and ends where there is none": func(b *bench) {
			b.ap()
			b.iface.Turn <- struct{}{}
			s := b.session(b.Context(), session.StartRequest{}, enrol(""))
			<-b.iface.Turn
			if s.State != state.StateFailed || s.Detail.AccessPointsTried != 0 ||
				len(events[state.AccessPointAdded](b)) != 0 {
				b.Errorf("%+v", s)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBench(t, run)
		})
	}
}

// TestScan: a scan tells of what is there, and looks at all channels.
func TestScan(t *testing.T) {
	t.Parallel()
	onBench(t, func(b *bench) {
		b.ap()
		if err := b.Scan(b.Context(), b.iface, laptop); err != nil {
			b.Fatal(err)
		}
		added := events[state.AccessPointAdded](b)
		if len(added) != 1 || added[0].AccessPoint.BSSID != home || len(b.iface.Air.BSSs()) != 1 ||
			len(b.iface.Air.Looked()) < 13 {
			b.Errorf("%+v, looked at %v", added, b.iface.Air.Looked())
		}
		ctx, cancel := context.WithCancel(b.Context())
		cancel()
		b.iface.Turn <- struct{}{}
		if err := b.Scan(ctx, b.iface, laptop); !errors.Is(err, context.Canceled) {
			b.Errorf("while another one has the interface: %v", err)
		}
		<-b.iface.Turn
	})
}

// TestRegistrarTasks: what makes no task of a Registrar is refused before anything begins, and what
// makes one has secrets of its own.
func TestRegistrarTasks(t *testing.T) {
	t.Parallel()
	pin := func() secret.Value { return secret.FromString(labelPIN) }
	for _, c := range []struct {
		name   string
		r      session.StartRequest
		tag    wsc.DevicePasswordID
		method state.Method
		err    error
	}{
		{"an access point and its PIN", session.StartRequest{BSSID: home, PIN: pin()}, 0,
			state.MethodPIN, nil},
		{"no access point", session.StartRequest{PIN: pin()}, 0, "", state.ErrUnknownBSSID},
		{"a PIN whose check digit is wrong",
			session.StartRequest{BSSID: home, PIN: secret.FromString("12345678")}, 0, "",
			devpass.ErrPINChecksum},
		{"the same, if that is meant",
			session.StartRequest{BSSID: home, PIN: secret.FromString("12345678"), Force: true}, 0,
			state.MethodPIN, nil},
		{"a tag that was read", session.StartRequest{BSSID: home, NFC: true}, 16,
			state.MethodNFC, nil},
		{"a tag that was not", session.StartRequest{BSSID: home, NFC: true}, 0, "",
			state.ErrNoToken},
	} {
		onBench(t, func(b *bench) {
			if c.tag != 0 {
				b.keepTag(c.tag)
			}
			settings := session.Settings{SSID: []byte("cabin"), Auth: wsc.AuthWPA2PSK,
				Encryption: wsc.EncrAES, Key: secret.FromString("12345678")}
			learn, err := b.Learn(c.r)
			configure, err2 := b.Configure(c.r, settings)
			if !errors.Is(err, c.err) || !errors.Is(err2, c.err) {
				b.Fatalf("%s: %v, %v", c.name, err, err2)
			}
			if learn.Method != c.method || configure.Method != c.method {
				b.Errorf("%s: %s, %s", c.name, learn.Method, configure.Method)
			}
			learn.Wipe()
			configure.Wipe()
			if c.err == nil && (learn.Purpose != state.PurposeLearn || configure.Settings == nil ||
				string(settings.Key.Bytes()) != "12345678") {
				b.Errorf("%s: %+v, %+v", c.name, learn, configure)
			}
			settings.Key = secret.FromString("short")
			if _, err := b.Configure(c.r, settings); !errors.Is(err, state.ErrInvalid) {
				b.Errorf("%s: a short key: %v", c.name, err)
			}
		})
	}
}

// TestTagOfAnAccessPoint: a session that goes by a tag has no PIN, and its end with success uses
// the tag up.
func TestTagOfAnAccessPoint(t *testing.T) {
	t.Parallel()
	onBench(t, func(b *bench) {
		b.keepTag(77)
		e := b.Enrolment(Job{Interface: b.iface, Session: &session.Running{},
			Task: session.Task{Purpose: state.PurposeLearn, Method: state.MethodNFC}})
		if _, ok := e.apPassword(time.Now(), wsc.Device{}, wsc.PasswordIDDefault); ok {
			b.Error("there is a PIN")
		}
		if _, ok := e.tag.Find(time.Now(), 77, [20]byte{}); !ok {
			b.Error("its tag is not found")
		}
		e.received = true
		if e.tag.End(e.received); b.Tags.Count() > 0 {
			b.Error("the tag is kept though it was used")
		}
		e.Wipe()
	})
}

// TestRadioThatIsOff: nobody has to let go for a look around, but a driver says that the radio is
// off.
func TestRadioThatIsOff(t *testing.T) {
	t.Parallel()
	onBench(t, func(b *bench) {
		b.iface.Driver = off{b.iface.Driver}
		if err := b.Scan(b.Context(), b.iface, laptop); !errors.Is(err, drivers.ErrRadioBlocked) {
			b.Error(err)
		}
		s := b.session(b.Context(), session.StartRequest{}, enrol(""))
		if s.Reason != outcome.ReasonRadioBlocked {
			b.Errorf("%+v", s)
		}
	})
}

// off is a driver whose radio is switched off.
type off struct{ drivers.Driver }

func (off) Station(context.Context, string) (drivers.Station, error) {
	return nil, drivers.ErrRadioBlocked
}
