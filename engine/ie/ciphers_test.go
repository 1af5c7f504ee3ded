package ie

import (
	"slices"
	"strings"
	"testing"
)

func TestCiphersOf(t *testing.T) {
	t.Parallel()
	// One group cipher, one pairwise cipher, PSK, capabilities.
	rsnWith := func(group, pairwise byte, rest string) string {
		return element(48, "\x01\x00\x00\x0f\xac"+string(group)+"\x01\x00\x00\x0f\xac"+
			string(pairwise)+"\x01\x00\x00\x0f\xac\x02"+rest)
	}
	for _, tt := range []struct {
		name string
		data string
		want Ciphers
	}{
		{"no element announces nothing", "\x00\x01a", Ciphers{}},
		{"WPA2 with CCMP", rsnWith(4, 4, ""), Ciphers{Pairwise: CCMP, Group: CCMP}},
		{"GCMP-256 with management frames that have to be protected by BIP-GMAC-256",
			rsnWith(9, 9, "\xc0\x00\x00\x00\x00\x0f\xac\x0c"),
			Ciphers{Pairwise: GCMP256, Group: GCMP256, Management: BIPGMAC256}},
		{"CCMP-256 with a PMKID before the management cipher",
			rsnWith(10, 10, "\x80\x00\x01\x00"+strings.Repeat("k", 16)+"\x00\x0f\xac\x0d"),
			Ciphers{Pairwise: CCMP256, Group: CCMP256, Management: BIPCMAC256}},
		{"GCMP with the management cipher of who names none", rsnWith(8, 8, "\x80\x00"),
			Ciphers{Pairwise: GCMP, Group: GCMP, Management: AESCMAC}},
		{"more PMKIDs than there are", rsnWith(8, 8, "\x80\x00\xff\xff\x00\x0f\xac\x0c"),
			Ciphers{Pairwise: GCMP, Group: GCMP, Management: AESCMAC}},
		{"half of the capabilities", rsnWith(4, 4, "\xc0"), Ciphers{Pairwise: CCMP, Group: CCMP}},
		{"an element that ends after its version has the defaults", element(48, "\x01\x00"),
			Ciphers{Pairwise: CCMP, Group: CCMP}},
		{"an element of another version announces nothing",
			element(48, "\x02\x00\x00\x0f\xac\x09"), Ciphers{}},
		{"a suite that nobody knows", rsnWith(99, 99, ""), Ciphers{}},
		{"WPA and WPA2", element(221, "\x00\x50\xf2\x01\x01\x00\x00\x50\xf2\x02\x01\x00\x00\x50\xf2\x02\x01\x00\x00\x50\xf2\x02") + rsnWith(2, 4, ""),
			Ciphers{Pairwise: TKIP | CCMP, Group: TKIP}},
		{"a list that runs over the element",
			element(48, "\x01\x00\x00\x0f\xac\x04\x05\x00\x00\x0f\xac\x04"), Ciphers{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := CiphersOf([]byte(tt.data)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	if names := (GCMP256 | TKIP | BIPGMAC256).Names(); !slices.Equal(names,
		[]string{"TKIP", "GCMP-256", "BIP-GMAC-256"}) {
		t.Errorf("names %q", names)
	}
}
