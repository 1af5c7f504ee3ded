package wpasupplicant

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"wpsd/engine/credential"
	"wpsd/engine/ie"
)

// heard is a network that was heard.
func heard(c ie.Ciphers) credential.Offer {
	o := offer(received("new", "some words", credential.KeyPassphrase))[0]
	o.Heard, o.Frequency, o.Ciphers = true, 5180, c
	return o
}

// wpa3 is a network that takes SAE only.
func wpa3(c ie.Ciphers) credential.Offer {
	o := heard(c)
	o.WPA3Only = true
	return o
}

func TestSettings(t *testing.T) {
	t.Parallel()
	all := abilities{
		management:      []string{"WPA-PSK", "SAE"},
		pairwise:        []string{"CCMP-256", "GCMP-256", "CCMP", "GCMP", "TKIP"},
		group:           []string{"CCMP-256", "GCMP-256", "CCMP", "GCMP", "TKIP"},
		groupManagement: []string{"AES-128-CMAC", "BIP-GMAC-256", "BIP-CMAC-256"},
	}
	usual := []string{"key_mgmt=WPA-PSK WPA-PSK-SHA256 SAE", "ieee80211w=1"}
	gcmp256 := ie.Ciphers{Pairwise: ie.GCMP256, Group: ie.GCMP256, Management: ie.BIPGMAC256}
	raw := heard(gcmp256)
	raw.KeyKind, raw.Key = credential.KeyRawPSK,
		received("", strings.Repeat("ab", 32), credential.KeyRawPSK).Key
	favored := heard(ie.Ciphers{})
	favored.Priority, favored.NoSAE = -3, true
	backhaul := heard(ie.Ciphers{})
	backhaul.Backhaul = true
	for _, c := range []struct {
		name  string
		offer credential.Offer
		have  map[string]string
		can   abilities
		want  []string // but for ssid and psk
		err   error
	}{
		{"the usual ciphers need no word", heard(ie.Ciphers{Pairwise: ie.CCMP, Group: ie.CCMP}),
			nil, all, usual, nil},
		{"a priority, and no SAE", favored, nil, all,
			[]string{"priority=-3", "key_mgmt=WPA-PSK WPA-PSK-SHA256", "ieee80211w=1"}, nil},
		{"GCMP-256 is named", heard(gcmp256), nil, all,
			append(slices.Clone(usual), "pairwise=CCMP TKIP GCMP-256", "group=CCMP TKIP GCMP-256",
				"group_mgmt=AES-128-CMAC BIP-GMAC-256"), nil},
		{"also with a key of 64 digits", raw, nil, all,
			[]string{"key_mgmt=WPA-PSK", "pairwise=CCMP TKIP GCMP-256",
				"group=CCMP TKIP GCMP-256"}, nil},
		{"a better one beside CCMP is taken, too",
			heard(ie.Ciphers{Pairwise: ie.CCMP | ie.CCMP256, Group: ie.CCMP}), nil, all,
			append(slices.Clone(usual), "pairwise=CCMP TKIP CCMP-256"), nil},
		{"not one that the radio has not got",
			heard(ie.Ciphers{Pairwise: ie.CCMP | ie.GCMP256, Group: ie.CCMP}), nil,
			abilities{management: all.management, pairwise: []string{"CCMP", "TKIP"},
				group: all.group}, usual, nil},
		{"what somebody has made stricter stays so",
			heard(ie.Ciphers{Pairwise: ie.TKIP | ie.CCMP, Group: ie.CCMP}),
			map[string]string{"pairwise": "CCMP", "group": "CCMP"}, all, usual, nil},
		{"unless it keeps him out", heard(gcmp256),
			map[string]string{"pairwise": "CCMP", "group": "GCMP-256"}, all,
			append(slices.Clone(usual), "pairwise=CCMP GCMP-256",
				"group_mgmt=AES-128-CMAC BIP-GMAC-256"), nil},
		{"WPA3 only is SAE with protected management frames",
			wpa3(ie.Ciphers{Pairwise: ie.CCMP, Group: ie.CCMP, Management: ie.AESCMAC}), nil, all,
			[]string{"key_mgmt=SAE", "ieee80211w=2"}, nil},
		{"which not everybody can", wpa3(ie.Ciphers{}), nil,
			abilities{management: []string{"WPA-PSK"}}, nil, ErrSAE},
		{"a network that links access points is joined as such", backhaul, nil, all,
			append([]string{"multi_ap_backhaul_sta=1"}, usual...), nil},
		{"WPA2/WPA3 is both", heard(ie.Ciphers{Pairwise: ie.CCMP, Group: ie.CCMP}), nil, all,
			usual, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			values, err := settings(&c.offer, c.have, c.can)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, not %v", err, c.err)
			}
			var got []string
			for _, v := range values {
				if v.name != "ssid" && v.name != "psk" {
					got = append(got, fmt.Sprintf("%s=%s", v.name, v.content()))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%q, not\n%q", got, c.want)
			}
		})
	}
}

// Over D-Bus and over the control socket it is told the same: where to look, and what to take if
// that fails.
func TestDeliverOfSeveralNetworks(t *testing.T) {
	t.Parallel()
	far, near := offer(received("far", "some words", credential.KeyPassphrase))[0],
		heard(ie.Ciphers{})
	m, s := playSocket(t)
	if _, err := m.Deliver(t.Context(), "wlan0", []credential.Offer{near, far}); err != nil {
		t.Fatal(err)
	}
	block := func(id, ssid string) []string {
		set := "SET_NETWORK " + id
		return []string{"ADD_NETWORK", set + " ssid " + ssid,
			set + " key_mgmt WPA-PSK WPA-PSK-SHA256 SAE", set + " ieee80211w 1",
			set + ` psk "some words"`}
	}
	s.wantTold(t, slices.Concat(block("2", "6e6577"), block("3", "666172"),
		[]string{"SET_NETWORK 2 scan_freq 5180", "SELECT_NETWORK 2", "SET_NETWORK 2 scan_freq 0",
			"ENABLE_NETWORK 2", "ENABLE_NETWORK 3", "ENABLE_NETWORK 0", "SAVE_CONFIG"})...)

	onBus, p := play(t)
	if _, err := onBus.Deliver(t.Context(), "wlan0", []credential.Offer{near}); err != nil {
		t.Fatal(err)
	}
	want := []string{"AddNetwork", "change", "SelectNetwork " + string(added), "change",
		"Set Enabled=true", "Set Enabled=true", "SaveConfig"}
	if told := p.Told(); !slices.Equal(told, want) {
		t.Errorf("told %q", told)
	}
	if scan := p.settings["scan_freq"].Value(); scan != "0" {
		t.Errorf("it goes on looking at %v only", scan)
	}
}
