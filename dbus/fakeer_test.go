package dbus

import (
	"context"
	"fmt"

	"wpsd/engine/secret"
	"wpsd/service/external"
	"wpsd/service/nfc"
	"wpsd/service/session"
	"wpsd/service/state"
)

// The External Registrar of the fake.

func (f *fake) StartER(_ context.Context, r external.Start) error {
	f.mu.Lock()
	f.erOwners = append(f.erOwners, r.Owner)
	f.mu.Unlock()
	return f.call(fmt.Sprintf("StartER %s %v detach=%v", r.Interface, r.Address, r.Detach))
}

func (f *fake) StopOwnER(_ context.Context, ifname, user string) error {
	return f.call("StopOwnER " + ifname + " " + user)
}

func (f *fake) OwnsER(_, user string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.erUser == "" || f.erUser == user
}

func (f *fake) StopER(_ context.Context, ifname string) error { return f.call("StopER " + ifname) }

func (f *fake) WantsER(owner string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.erOwners {
		if o == owner {
			return true
		}
	}
	return false
}

// erSession records a request and makes its session.
func (f *fake) erSession(what string, r external.Request) (state.Session, error) {
	f.mu.Lock()
	r.PIN = r.PIN.Clone()
	f.lastER = r
	f.mu.Unlock()
	return f.start(session.StartRequest{Interface: r.Interface, Owner: r.Owner, User: r.User,
		Detach: r.Detach}, state.Method(what))
}

// erProof is what an access point is to be shown.
func erProof(r external.Request) string {
	if r.NFC {
		return "its tag" + string(r.PIN.Bytes())
	}
	return string(r.PIN.Bytes())
}

func (f *fake) ERLearn(_ context.Context, r external.Request) (state.Session, error) {
	return f.erSession("er learn "+r.AP.String()+" "+erProof(r), r)
}

func (f *fake) ERConfigure(_ context.Context, r external.Request,
	s session.Settings) (state.Session, error) {
	f.mu.Lock()
	f.settings = s
	f.settings.Key = s.Key.Clone()
	f.mu.Unlock()
	return f.erSession("er configure "+r.AP.String()+" "+erProof(r), r)
}

func (f *fake) ERSetConfig(_ context.Context, ifname string, ap external.Peer,
	network state.NetworkID) error {
	return f.call(fmt.Sprintf("ERSetConfig %s %s %d", ifname, ap, network))
}

func (f *fake) EREnrollPBC(_ context.Context, r external.Request) (state.Session, error) {
	return f.erSession("er pbc "+r.Enrollee.String(), r)
}

func (f *fake) EREnrollPIN(_ context.Context, r external.Request) (state.Session, error) {
	return f.erSession("er pin "+r.Enrollee.String()+" "+string(r.PIN.Bytes()), r)
}

func (f *fake) ERNFCConfigToken(_ context.Context, ifname string, ap external.Peer,
	format nfc.Format) (secret.Value, error) {
	return secret.FromString("er config token"),
		f.call(fmt.Sprintf("ERNFCConfigToken %s %s %s", ifname, ap, format))
}

func (f *fake) ERNFCHandoverSelect(_ context.Context, ifname string, ap external.Peer,
	format nfc.Format, c nfc.Carrier) ([]byte, error) {
	return []byte("er select"),
		f.call(fmt.Sprintf("ERNFCHandoverSelect %s %s %s %s", ifname, ap, format, c))
}

func (f *fake) ERNFCTagRead(_ context.Context, r nfc.TagRequest) (nfc.Tag, error) {
	return f.tag, f.call(fmt.Sprintf("ERNFCTagRead %q %s %s %s", r.Interface, r.Payload,
		r.Owner, r.Apply))
}
