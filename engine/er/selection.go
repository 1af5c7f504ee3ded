package er

import (
	"bytes"
	"errors"
	"time"

	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// invitation is whom an access point was told to invite (SetSelectedRegistrar).
type invitation struct {
	selected    []byte    // the message that it was told last; nil: nobody is selected
	selectAgain bool      // it is to be told again
	selectAt    time.Time // when
	selectFails int       // in a row
}

// reselectEvery is when SetSelectedRegistrar is said again: access points forget it after 120 s
// (hostap behaviour).
const reselectEvery = 100 * time.Second

// reselect has an access point tell what holds now, if that is something else than it was told
// last.
func (r *dispatcher) reselect(now time.Time, a *ap) {
	if a.sid == "" || a.Dropped {
		return
	}
	message := r.selection(now, a).bytes()
	switch {
	case !bytes.Equal(message, a.selected), a.selectAgain && message != nil:
		a.want |= wantSelect
	case a.want&wantSelect != 0: // on second thoughts
		a.want &^= wantSelect
	}
}

// selection says whom an access point is to invite; nil: nobody.
type selection wsc.SelectedRegistrar

// bytes is the message; nil: none.
func (s *selection) bytes() []byte {
	if s == nil {
		return nil
	}
	return (*wsc.SelectedRegistrar)(s).Append(nil)
}

// asked is what to publish when the message goes out.
func (s *selection) asked(a *ap) APAsked {
	e := APAsked{AP: a.snapshot(), State: AskSent}
	if s != nil {
		e.Selected, e.PasswordID, e.Methods = true, s.DevicePasswordID, s.ConfigMethods
	}
	return e
}

// selection is what holds for an access point now.
func (r *dispatcher) selection(now time.Time, a *ap) *selection {
	if r.aps[a.ID] != a || !a.HasSettings {
		return nil
	}
	s, ok := r.list.Selection(now, uint32(a.ID))
	if !ok {
		return nil
	}
	m := &selection{
		Selected: true, DevicePasswordID: s.PasswordID,
		ConfigMethods:  r.device.ConfigMethods &^ anyButton,
		AuthorizedMACs: s.AuthorizedMACs, Version2: r.device.Version2, UUID: r.device.UUID,
	}
	if s.PushButton {
		m.ConfigMethods |= wsc.ConfigPushButton
		if r.device.ConfigMethods&wsc.ConfigPushButton != 0 {
			m.ConfigMethods = r.device.ConfigMethods
		}
	}
	return m
}

// anyButton are the methods that are left out while a PIN is waited for (hostap behaviour).
const anyButton = wsc.ConfigVirtualPushButton | wsc.ConfigPhysicalPushButton

// selectionMessage is that of a selection, or the one that takes it back.
func (r *dispatcher) selectionMessage(s *selection) []byte {
	if s != nil {
		return s.bytes()
	}
	m := wsc.SelectedRegistrar{Version2: r.device.Version2, UUID: r.device.UUID}
	return m.Append(nil)
}

// onSelected takes the answer to SetSelectedRegistrar. hostapd refuses it when it does not know our
// subscription.
func (r *Registrar) onSelected(now time.Time, a *ap, resp upnp.Response) {
	_, err := upnp.SetSelectedRegistrar.ParseReply(resp)
	r.publishAnswer(a, err)
	if err == nil {
		a.selectFails = 0
		if a.selected != nil {
			a.selectAt = now.Add(reselectEvery)
		}
		return
	}
	fault := (*upnp.Fault)(nil)
	if a.selectFails++; a.selectFails == 1 && errors.As(err, &fault) {
		a.want |= wantRenew // which finds out; then it is told again
		a.selectAgain = true
	}
	if a.selected != nil {
		a.selectAt = now.Add(backoff(time.Second, a.selectFails, reselectEvery))
	}
}

// publishAnswer publishes what an access point said to SetSelectedRegistrar.
func (r *dispatcher) publishAnswer(a *ap, err error) {
	e := APAsked{AP: a.snapshot(), State: AskTaken}
	if err != nil {
		e.State = AskRefused
	}
	r.publish(e)
}
