package sim_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// hotspot is an access point of this machine and a program that steers it.
type hotspot struct {
	*room
	ap *sim.AP
	drivers.AccessPoint
}

func inHotspot(run func(h *hotspot)) func(r *room) {
	return func(r *room) {
		h := &hotspot{room: r, ap: r.home(func(o *sim.APOptions) { o.APPIN = rightPIN.Value })}
		r.do(r.w.AddHotspot("ap0", h.ap))
		<-r.d.Changed()
		var err error
		if h.AccessPoint, err = r.d.AccessPoint(r.Context(), "ap0"); err != nil {
			r.Fatal(err)
		}
		run(h)
		r.do(h.Close())
		for range h.Events() { // until it is closed
		}
	}
}

// told takes the events so far.
func (h *hotspot) told() []drivers.APEvent {
	synctest.Wait()
	var all []drivers.APEvent
	for len(h.Events()) > 0 {
		all = append(all, <-h.Events())
	}
	return all
}

// wantTold checks the kinds of the events so far, but for those of probe requests.
func (h *hotspot) wantTold(want ...drivers.APEventKind) []drivers.APEvent {
	h.Helper()
	var got []drivers.APEvent
	for _, e := range h.told() {
		if e.Kind != drivers.APEnrolleeSeen {
			got = append(got, e)
		}
	}
	same := len(got) == len(want)
	for i := 0; same && i < len(want); i++ {
		same = got[i].Kind == want[i]
	}
	if !same {
		h.Fatalf("events %+v, not the kinds %v", got, want)
	}
	return got
}

func TestHotspot(t *testing.T) {
	t.Parallel()
	bubbles(t, hotspotCases)
}

var hotspotCases = []bubble{
	{"its interface is listed as an access point, and is no station", inHotspot(func(h *hotspot) {
		all, err := h.d.Interfaces(h.Context())
		h.do(err)
		last := all[len(all)-1]
		if last.Name != "ap0" || last.Mode != drivers.ModeAP || last.HardwareAddr != homeBSSID {
			h.Errorf("%+v", last)
		}
		if _, err := h.d.Station(h.Context(), "ap0"); !errors.Is(err, drivers.ErrNotSupported) {
			h.Errorf("as a station: %v", err)
		}
		if _, err := h.d.AccessPoint(h.Context(), "sim0"); !errors.Is(err,
			drivers.ErrNotSupported) {
			h.Errorf("a station as access point: %v", err)
		}
		if _, err := h.d.AccessPoint(h.Context(), "eth0"); !errors.Is(err, drivers.ErrNoInterface) {
			h.Errorf("one that is not there: %v", err)
		}
	})},
	{"it tells its settings", inHotspot(func(h *hotspot) {
		s, err := h.Settings(h.Context())
		h.do(err)
		if s.BSSID != homeBSSID || string(s.SSID) != "home" || !s.WPS || !s.Configured || !s.RSN ||
			!s.CCMP || s.WPA || s.TKIP || s.SAE || s.Frequency != 2437 || !s.Key.Equal(passphrase) {
			h.Errorf("%+v", s)
		}
	})},
	{"a device asks with its PIN, and is let in when that is granted", inHotspot(func(h *hotspot) {
		e := h.camera()
		h.do(e.UsePIN(rightPIN.Value))
		time.Sleep(30 * time.Second)
		var seen, needed bool
		for _, e := range h.told() {
			switch e.Kind {
			case drivers.APEnrolleeSeen:
				seen = e.MAC == cameraMAC && e.UUID == wsc.UUIDFromMAC(cameraMAC).String() &&
					e.Device.Name == "camera"
			case drivers.APPINNeeded:
				needed = e.MAC == cameraMAC && e.Device.Manufacturer == "wpsd" &&
					e.Device.SerialNumber == "1"
			default:
			}
		}
		if !seen || !needed {
			h.Errorf("seen: %v, its PIN needed: %v", seen, needed)
		}
		h.do(h.AllowPIN(h.Context(), drivers.PINGrant{PIN: rightPIN.Value, MAC: cameraMAC,
			Timeout: time.Minute}))
		h.isIn(e, h.ap)
		all := h.wantTold(drivers.APRunStarted, drivers.APEnrolled, drivers.APSuccess)
		if all[0].MAC != cameraMAC || all[1].MAC != cameraMAC || all[1].UUID != e.UUID().String() {
			h.Errorf("%+v", all)
		}
	})},
	{"a device is let in by button", inHotspot(func(h *hotspot) {
		e := h.camera()
		h.do(e.PressButton())
		h.do(h.AllowPBC(h.Context()))
		h.isIn(e, h.ap)
		h.wantTold(drivers.APPBCActive, drivers.APRunStarted, drivers.APEnrolled, drivers.APSuccess)
	})},
	{"a wrong PIN is told with where it ended", inHotspot(func(h *hotspot) {
		e := h.camera()
		h.do(h.AllowPIN(h.Context(), drivers.PINGrant{PIN: rightPIN.Value}))
		h.do(e.UsePIN(wrongSecond.Value))
		h.ends(e, registration.ErrPassword)
		failed := h.wantTold(drivers.APRunStarted, drivers.APFailed)[1]
		if m := wsc.MessageType(failed.Message); m != wsc.MsgM6 && m != wsc.MsgM7 ||
			wsc.ConfigError(failed.ConfigError) != wsc.ConfigErrorDevicePasswordAuthFailure {
			h.Errorf("%+v", failed)
		}
	})},
	{"the button's time ends without anybody looking", inHotspot(func(h *hotspot) {
		h.do(h.AllowPBC(h.Context()))
		time.Sleep(2 * time.Minute)
		h.wantTold(drivers.APPBCActive, drivers.APTimeout)
	})},
	{"an overlap is told and refuses the button", inHotspot(func(h *hotspot) {
		h.scan(wsc.PasswordIDPushButton)
		h.do(h.camera().PressButton())
		time.Sleep(5 * time.Second)
		if err := h.AllowPBC(h.Context()); !errors.Is(err, drivers.ErrOverlap) {
			h.Errorf("%v", err)
		}
		h.wantTold(drivers.APOverlap, drivers.APOverlap)
	})},
	{"what was granted is withdrawn", inHotspot(func(h *hotspot) {
		h.do(h.AllowPIN(h.Context(), drivers.PINGrant{PIN: rightPIN.Value,
			UUID: wsc.UUIDFromMAC(cameraMAC).String()}))
		h.do(h.Withdraw(h.Context()))
		h.wantTold(drivers.APCanceled)
		if s := h.ap.Status(); s.PINs != 0 || s.SelectedRegistrar {
			h.Errorf("%+v", s)
		}
	})},
	{"its own PIN is got, set, made, ends and is taken away", inHotspot(func(h *hotspot) {
		do := func(r drivers.APPINRequest) secret.Value {
			h.Helper()
			pin, err := h.APPIN(h.Context(), r)
			h.do(err)
			return pin
		}
		if !do(drivers.APPINRequest{Command: drivers.APPINGet}).Equal(rightPIN.Value) {
			h.Error("not the PIN it has")
		}
		set := secret.FromString("24681353")
		do(drivers.APPINRequest{Command: drivers.APPINSet, PIN: set})
		if !do(drivers.APPINRequest{Command: drivers.APPINGet}).Equal(set) {
			h.Error("not the PIN that was set")
		}
		if made := do(drivers.APPINRequest{Command: drivers.APPINRandom,
			Timeout: time.Minute}); made.Len() != 8 || made.Equal(set) {
			h.Error("no new PIN")
		}
		time.Sleep(time.Minute)
		h.wantTold(drivers.APPINDisabled)
		if _, err := h.APPIN(h.Context(),
			drivers.APPINRequest{Command: drivers.APPINGet}); !errors.Is(err, drivers.ErrRefused) {
			h.Errorf("after its end: %v", err)
		}
		do(drivers.APPINRequest{Command: drivers.APPINSet, PIN: set})
		do(drivers.APPINRequest{Command: drivers.APPINDisable})
		if _, err := h.APPIN(h.Context(),
			drivers.APPINRequest{Command: drivers.APPINGet}); !errors.Is(err, drivers.ErrRefused) {
			h.Errorf("after it was taken away: %v", err)
		}
	})},
	{"wrong AP PINs lock it for a minute", inHotspot(func(h *hotspot) {
		for range 3 {
			h.register(homeBSSID, wrongSecond, nil)
		}
		failed := h.told()
		if last := failed[len(failed)-1]; last.Kind != drivers.APSetupLocked {
			h.Errorf("%+v", failed)
		}
		time.Sleep(time.Minute)
		h.wantTold(drivers.APSetupUnlocked)
	})},
	{"it is switched off and on again", inHotspot(func(h *hotspot) {
		h.w.RemoveAP(h.ap)
		h.wantTold(drivers.APGone)
		if err := h.AllowPBC(h.Context()); !errors.Is(err, drivers.ErrUnreachable) {
			h.Errorf("off: %v", err)
		}
		if _, err := h.d.AccessPoint(h.Context(), "ap0"); !errors.Is(err, drivers.ErrUnreachable) {
			h.Errorf("off: %v", err)
		}
		h.do(h.w.ReturnAP(h.ap))
		h.wantTold(drivers.APBack)
		h.do(h.AllowPBC(h.Context()))
	})},
	{"its interface is pulled out", inHotspot(func(h *hotspot) {
		h.w.RemoveRadio("ap0")
		if _, open := <-h.Events(); open {
			h.Error("Events is open")
		}
		if err := h.AllowPBC(h.Context()); !errors.Is(err, drivers.ErrClosed) {
			h.Errorf("gone: %v", err)
		}
		h.do(h.w.AddHotspot("ap0", h.ap))
	})},
	{"one without WPS refuses", func(r *room) {
		ap := r.home(func(o *sim.APOptions) { o.NoWPS = true })
		r.do(r.w.AddHotspot("ap0", ap))
		s, err := r.d.AccessPoint(r.Context(), "ap0")
		r.do(err)
		if err := s.AllowPBC(r.Context()); !errors.Is(err, drivers.ErrRefused) {
			r.Errorf("%v", err)
		}
		settings, err := s.Settings(r.Context())
		r.do(err)
		if settings.WPS {
			r.Error("it says that WPS is on")
		}
	}},
}
