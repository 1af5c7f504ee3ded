package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wpsd/engine/secret"
	"wpsd/engine/wsccrypto"
)

// tokenLines are the configuration lines of a token, as nfc_pw_token prints them; private and
// password in hex.
func tokenLines(t *testing.T, id, private, password string) []string {
	t.Helper()
	key, err := hex.DecodeString(private)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := wsccrypto.KeyPairFromPrivate(secret.New(key))
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"wps_nfc_dev_pw_id=" + id, fmt.Sprintf("wps_nfc_dh_pubkey=%X", pair.Public()),
		"wps_nfc_dh_privkey=" + private, "wps_nfc_dev_pw=" + password,
	}
}

var (
	somePrivate  = strings.Repeat("00", 160) + strings.Repeat("A7", 32) // padded, as hostap does
	somePassword = strings.Repeat("5C", 32)
)

func TestConfigTakesAToken(t *testing.T) {
	t.Parallel()
	lines := tokenLines(t, "49067", somePrivate, somePassword)
	c, err := parseTestConfig("#WPS=00\n" + strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if k := c.Token; k.ID != 0xbfab || k.Private.Len() != 192 || k.Password.Len() != 32 {
		t.Errorf("%v, %d and %d bytes", k.ID, k.Private.Len(), k.Password.Len())
	}
	if c, err := parseTestConfig(""); err != nil || c.Token.ID != 0 {
		t.Errorf("without the lines: %v, %v", c.Token.ID, err)
	}
}

func TestConfigRefusesWhatIsNoToken(t *testing.T) {
	t.Parallel()
	good := tokenLines(t, "49067", somePrivate, somePassword)
	other := tokenLines(t, "49067", strings.Repeat("3B", 32), somePassword)
	with := func(n int, line string) []string {
		lines := slices.Clone(good)
		lines[n] = line
		return lines
	}
	for _, c := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"an id of a PIN", with(0, "wps_nfc_dev_pw_id=0"),
			"wpsd.conf:1: wps_nfc_dev_pw_id: \"0\" is not a number from 16"},
		{"an id that is too large", with(0, "wps_nfc_dev_pw_id=65536"), "from 16 to 65535"},
		{"a short public key", with(1, "wps_nfc_dh_pubkey=00"),
			"wpsd.conf:2: wps_nfc_dh_pubkey: is of 1 bytes, not of 192"},
		{"no hex digits", with(2, "wps_nfc_dh_privkey="+strings.Repeat("XY", 32)),
			"wpsd.conf:3: wps_nfc_dh_privkey: is not made of pairs of hex"},
		{"an empty private key", with(2, "wps_nfc_dh_privkey="), "is of 0 bytes, not of 1 to 192"},
		{"a password of 15 bytes", with(3, "wps_nfc_dev_pw="+strings.Repeat("5C", 15)),
			"is of 15 bytes, not of 16 to 32"},
		{"a password of 33 bytes", with(3, "wps_nfc_dev_pw="+strings.Repeat("5C", 33)),
			"is of 33 bytes"},
		{"another public key", with(1, other[1]),
			"wpsd.conf: wps_nfc_dh_pubkey is not the public key"},
		{"a private key of zero", with(2, "wps_nfc_dh_privkey="+strings.Repeat("00", 32)),
			"is no private key"},
		{"three of four lines", good[:3], "together; nfc_pw_token prints all four"},
		{"one line twice", append(slices.Clone(good), good[0]), "set before, in line 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := parseTestConfig(strings.Join(c.lines, "\n"))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %s", err, c.want)
			}
			for _, secret := range []string{strings.Repeat("A7", 8), strings.Repeat("5C", 8),
				strings.Repeat("3B", 8)} {
				if strings.Contains(strings.ToUpper(err.Error()), secret) {
					t.Errorf("the error shows a secret: %v", err)
				}
			}
		})
	}
}

// A private key in a file that others can read is worth a word.
func TestConfigThatOthersCanReadIsNoted(t *testing.T) {
	t.Parallel()
	for mode, notes := range map[os.FileMode]int{0o600: 0, 0o644: 1} {
		path := filepath.Join(t.TempDir(), "wpsd.conf")
		text := strings.Join(tokenLines(t, "16", strings.Repeat("A7", 32), somePassword), "\n")
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if c, err := loadConfig(path, false); err != nil || len(c.Notes) != notes || notes > 0 &&
			!strings.Contains(c.Notes[0], "chmod 600") {
			t.Errorf("mode %o: %v, %v", mode, c.Notes, err)
		}
	}
}
