package credential

import (
	"errors"
	"testing"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// TestRequireSAE: what can be joined by SAE is marked, and what cannot is refused.
func TestRequireSAE(t *testing.T) {
	t.Parallel()
	psk := secret.FromString("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
	for _, c := range []struct {
		name string
		in   wsc.Credential
		err  error
		want string
	}{
		{"a passphrase is good for SAE", withKey("correct horse"), nil, "SAE"},
		{"a key of 64 digits is none", given(func(c *wsc.Credential) { c.NetworkKey = psk }),
			ErrWPA3Only, "WPA2PSK"},
		{"an open network has no use for it", withTypes(wsc.AuthOpen, wsc.EncrNone), nil, "OPEN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n, err := FromWSC(c.in, own)
			if err != nil {
				t.Fatal(err)
			}
			if err := n.RequireSAE(); !errors.Is(err, c.err) ||
				AuthName(n.Auth, n.WPA3Only) != c.want {
				t.Errorf("%v, %s", err, AuthName(n.Auth, n.WPA3Only))
			}
		})
	}
}
