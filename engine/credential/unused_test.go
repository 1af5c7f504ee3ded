package credential

import (
	"bytes"
	"testing"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// TestUnused: what FromWSC has no use for is kept as it came, and only that.
func TestUnused(t *testing.T) {
	index := uint8(3)
	own := wsc.MAC{2, 0, 0, 0, 0, 1}
	c := wsc.Credential{
		NetworkIndex: 2, SSID: []byte("office\x00"), AuthType: 0x0010, EncrType: wsc.EncrAES,
		NetworkKeyIndex: &index,
		NetworkKey:      secret.FromString("k"), MAC: own,
	}
	for _, row := range []struct {
		name   string
		change func(*wsc.Credential)
		ok     bool
		kind   KeyKind
	}{
		{"an enterprise network with a key", func(*wsc.Credential) {}, true, KeyPassphrase},
		{"an enterprise network without a key", func(c *wsc.Credential) {
			c.NetworkKey = secret.Value{}
		}, true, KeyNone},
		{"a network for WEP is nothing", func(c *wsc.Credential) {
			c.EncrType = wsc.EncrWEP
		}, false, ""},
		{"an unknown encryption is nothing", func(c *wsc.Credential) { c.EncrType = 0 }, false, ""},
		{"a bad key is nothing", func(c *wsc.Credential) {
			c.AuthType = wsc.AuthWPA2PSK
		}, false, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := c
			row.change(&c)
			_, err := FromWSC(c, own)
			n, ok := Unused(c, own, err)
			if ok != row.ok || n.KeyKind != row.kind {
				t.Fatalf("%v, %v for %v", n, ok, err)
			}
			if !ok {
				return
			}
			if string(n.SSID) != "office" || n.Auth != 0x0010 || n.Encryption != wsc.EncrAES ||
				n.KeyIndex != 3 || n.NetworkIndex != 2 || !n.OwnMAC {
				t.Errorf("%+v", n)
			}
			if !bytes.Equal(n.Raw.Bytes(), c.Append(nil)) || !n.Key.Equal(c.NetworkKey) {
				t.Error("its secrets are others")
			}
			n.Key.Wipe()
			if !c.NetworkKey.IsZero() && c.NetworkKey.Bytes()[0] == 0 {
				t.Error("it shares its key")
			}
		})
	}
	if _, ok := Unused(c, own, nil); ok {
		t.Error("a network that can be used is none of these")
	}
}

// FuzzEachAttribute: whatever M8 holds, what programs get of each Credential attribute is the very
// bytes that came, and nothing that was refused for any other reason than its Authentication Type
// gets through.
func FuzzEachAttribute(f *testing.F) {
	f.Add((&wsc.Settings{Credentials: []wsc.Credential{withKey("12345678"),
		withTypes(wsc.AuthWPA2, wsc.EncrAES)}}).Append(nil))
	f.Add((&wsc.Settings{Credentials: []wsc.Credential{withTypes(wsc.AuthWPA2, wsc.EncrWEP),
		withTypes(0xffff, 0xffff)}}).Append(nil))
	f.Fuzz(func(t *testing.T, plain []byte) {
		s, err := wsc.ParseSettings(plain)
		if err != nil {
			return
		}
		for _, c := range s.Credentials {
			n, err := FromWSC(c, own)
			if err != nil {
				var ok bool
				if n, ok = Unused(c, own, err); !ok {
					continue
				}
				if n.Auth != c.AuthType || n.Encryption != c.EncrType {
					t.Fatalf("%+v of %+v", n, c)
				}
			}
			if raw := n.Raw.Bytes(); len(raw) < 4 || raw[0] != 0x10 || raw[1] != 0x0e ||
				!bytes.Contains(plain, raw) {
				t.Fatalf("%x is not in %x", raw, plain)
			}
			if len(n.SSID) > len(c.SSID) || n.Key.Len() > 64 || n.WifiURI().IsZero() {
				t.Fatalf("%+v", n)
			}
		}
	})
}
