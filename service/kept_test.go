package service

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"wpsd/drivers/sim"
	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/state"
	"wpsd/service/store"
)

// TestAttributesAsTheyCame: an agent gets each Credential attribute of an M8, byte for byte: those
// that make one network together, one with an extension that we do not know, a stub, and one of a
// kind that we have no use for.
func TestAttributesAsTheyCame(t *testing.T) {
	t.Parallel()
	c := func(ssid, key string, auth wsc.AuthType, encr wsc.EncrType) wsc.Credential {
		return wsc.Credential{NetworkIndex: 1, SSID: []byte(ssid), AuthType: auth, EncrType: encr,
			NetworkKey: secret.FromString(key), MAC: laptop}
	}
	sent := []wsc.Credential{
		c("home", passphrase, wsc.AuthWPA2PSK, wsc.EncrAES),
		c("home", passphrase, wsc.AuthWPAPSK, wsc.EncrTKIP),
		c("padded\x00\x00", passphrase, wsc.AuthWPA2PSK, wsc.EncrAES),
		c("office", "", 0x0010, wsc.EncrAES), // WPA2-Enterprise
	}
	play(t, []scene{{"four attributes", func(h *house) {
		h.process(state.ProcessingBoth)
		p := h.agent(":1.9", nil)
		e := h.enrol(h.ap(func(o *sim.APOptions) { o.Credentials = sent }))
		p.want(h, 0, "home", "home", "padded", "office")
		for i, c := range sent {
			if !bytes.Equal(p.raw[i], c.Append(nil)) {
				h.Errorf("number %d came as %x, was sent as %x", i, p.raw[i], c.Append(nil))
			}
		}
		if usable, err := h.svc.Credentials(e.ID); err != nil || len(usable) != 2 {
			h.Errorf("%d networks, %v", len(usable), err)
		}
		if all, err := h.svc.Received(e.ID); err != nil || len(all) != 4 || all[3].Auth != 0x0010 ||
			all[3].KeyKind != credential.KeyNone {
			h.Errorf("%v, %v", all, err)
		}
		if len(h.store.Networks()) != 2 {
			h.Errorf("stored: %v", h.store.Networks())
		}
	}}})
}

// TestAddNetworkProcessing: what somebody adds did not come from an access point, so it is always
// stored and never handed over.
func TestAddNetworkProcessing(t *testing.T) {
	t.Parallel()
	play(t, []scene{
		{"it is stored whatever the processing, and is no agent's business", func(h *house) {
			h.process(state.ProcessingExternal)
			p := h.agent(":1.9", nil)
			n, err := h.svc.AddNetwork(h.Context(), wpa2("known", passphrase), homeBSSID)
			if err != nil || n.Source != "added" || n.BSSID != homeBSSID ||
				len(h.store.Networks()) != 1 {
				h.Fatalf("%+v, %v", n, err)
			}
			p.want(h, 0)
			if err := h.svc.DeleteNetwork(h.Context(), n.ID); err != nil ||
				len(h.store.Networks()) != 0 {
				h.Error(err)
			}
			if _, err := h.svc.NetworkSecrets(n.ID); !errors.Is(err, state.ErrNoNetwork) {
				h.Error(err)
			}
		}},
		{"more than there is room for are refused", func(h *house) {
			for i := range store.MaxNetworks {
				if _, err := h.svc.AddNetwork(h.Context(), wpa2(fmt.Sprint("net ", i), passphrase),
					wsc.MAC{}); err != nil {
					h.Fatal(err)
				}
			}
			if _, err := h.svc.AddNetwork(h.Context(), wpa2("one more", passphrase),
				wsc.MAC{}); !errors.Is(err, state.ErrStoreFull) {
				h.Error(err)
			}
		}},
	})
}
