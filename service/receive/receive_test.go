package receive

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/store"
)

var own = wsc.MAC{2, 0, 0, 0, 0, 1}

func given(ssid, key string, auth wsc.AuthType) wsc.Credential {
	return wsc.Credential{NetworkIndex: 1, SSID: []byte(ssid), AuthType: auth,
		EncrType: wsc.EncrAES, NetworkKey: secret.FromString(key), MAC: own}
}

// TestConvert: what is good is there, what is not is told, what is for others is there as it came,
// and the Credentials are wiped.
func TestConvert(t *testing.T) {
	t.Parallel()
	cs := []wsc.Credential{given("a", "tiny", wsc.AuthWPA2PSK), given("b", "long enough", 0x0060),
		given("c", "", wsc.AuthWPA2)}
	key := cs[1].NetworkKey
	c, err := Convert(cs, own, nil)
	if err != nil || len(c.Networks) != 1 || string(c.Networks[0].SSID) != "b" ||
		string(c.Networks[0].Key.Bytes()) != "long enough" {
		t.Fatalf("%+v, %v", c, err)
	}
	if len(c.Received) != 2 || string(c.Received[0].SSID) != "b" ||
		string(c.Received[1].SSID) != "c" {
		t.Errorf("as it came: %v", c.Received)
	}
	if len(c.LeftOut) != 2 || c.LeftOut[0].Number != 1 ||
		!errors.Is(c.LeftOut[1], credential.ErrAuth) {
		t.Errorf("left out: %v", c.LeftOut)
	}
	if string(key.Bytes()) == "long enough" {
		t.Error("the Credentials were not wiped")
	}
	c.Wipe()
	if string(c.Networks[0].Key.Bytes()) == "long enough" ||
		string(c.Received[0].Key.Bytes()) == "long enough" {
		t.Error("Wipe leaves a key")
	}
	none, err := Convert([]wsc.Credential{given("a", "tiny", wsc.AuthWPA2PSK)}, own, nil)
	if !errors.Is(err, credential.ErrKey) || len(none.LeftOut) != 1 {
		t.Errorf("%+v, %v", none, err)
	}
}

// TestStoreWhatFits: each is tried, whatever became of the one before.
func TestStoreWhatFits(t *testing.T) {
	t.Parallel()
	s := store.Memory()
	for i := range store.MaxNetworks - 1 {
		c, err := Convert([]wsc.Credential{given(fmt.Sprint("n", i), "long enough",
			wsc.AuthWPA2PSK)}, own, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Store(s, Origin{Source: "pin"}); c.NotStored != nil || len(c.Stored) != 1 {
			t.Fatal(c.NotStored)
		}
	}
	c, err := Convert([]wsc.Credential{given("new", "long enough", wsc.AuthWPA2PSK),
		given("newer", "long enough", wsc.AuthWPA2PSK),
		given("n7", "another key", wsc.AuthWPA2PSK)}, own, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Store(s, Origin{Own: own, BSSID: wsc.MAC{2, 0, 0, 0, 9, 9}, Source: "learn"})
	if !errors.Is(c.NotStored, store.ErrFull) || len(c.Stored) != 2 ||
		string(c.Stored[0].SSID) != "new" || c.Stored[1].ID != 8 {
		t.Fatalf("%v, %+v", c.NotStored, c.Stored)
	}
	if n, err := s.Network(8); err != nil || string(n.Key.Bytes()) != "another key" ||
		n.Source != "learn" || n.BSSID != (wsc.MAC{2, 0, 0, 0, 9, 9}) {
		t.Errorf("%+v, %v", n, err)
	}
}

// TestSAEOnly: a network that was heard to take SAE only is marked, and left out if its key is no
// passphrase.
func TestSAEOnly(t *testing.T) {
	t.Parallel()
	psk := strings.Repeat("0a", 32)
	sae := func(ssid []byte) bool { return string(ssid) == "wpa3" }
	for _, c := range []struct {
		name    string
		in      []wsc.Credential
		want    string // names, with + where SAE is the only way in
		leftOut int
		err     error
	}{
		{"a passphrase", []wsc.Credential{given("wpa3", "a passphrase", wsc.AuthWPA2PSK),
			given("b", psk, wsc.AuthWPA2PSK)}, "wpa3+ b", 0, nil},
		{"a PSK beside another network", []wsc.Credential{given("b", "a passphrase",
			wsc.AuthWPA2PSK), given("wpa3", psk, wsc.AuthWPA2PSK)}, "b", 1, nil},
		{"a PSK alone", []wsc.Credential{given("wpa3", psk, wsc.AuthWPA2PSK)}, "", 1,
			credential.ErrWPA3Only},
	} {
		read, err := Read(c.in, own, sae)
		if !errors.Is(err, c.err) || len(read.Networks) != len(strings.Fields(c.want)) {
			t.Errorf("%s: read %v, %v", c.name, read.Networks, err)
		}
		read.Wipe()
		got, err := Convert(c.in, own, sae)
		var names []string
		for _, n := range got.Networks {
			if name := string(n.SSID); n.WPA3Only {
				names = append(names, name+"+")
			} else {
				names = append(names, name)
			}
		}
		if strings.Join(names, " ") != c.want || len(got.LeftOut) != c.leftOut ||
			!errors.Is(err, c.err) || len(got.Received) != len(names) {
			t.Errorf("%s: %q, left out %v, %v", c.name, names, got.LeftOut, err)
		}
	}
}
