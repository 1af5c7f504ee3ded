package devpass

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

func TestCheckPIN(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, want string
		err              error
	}{
		{"eight digits with their checksum are taken", "12345670", "12345670", nil},
		{"another good PIN is taken", "24681353", "24681353", nil},
		{"zeros in front stay", "00000000", "00000000", nil},
		{"four digits have no checksum", "1234", "1234", nil},
		{"a dash as printed on labels is dropped", "1234-5670", "12345670", nil},
		{"blanks and a line end are dropped", " 1234 5670\n", "12345670", nil},
		{"a wrong checksum is refused", "12345671", "", ErrPINChecksum},
		{"counting on is a wrong checksum", "12345678", "", ErrPINChecksum},
		{"two digits exchanged are noticed", "21345670", "", ErrPINChecksum},
		{"nothing is refused", "", "", ErrPIN},
		{"no digits are refused", "PIN", "", ErrPIN},
		{"three digits are refused", "123", "", ErrPIN},
		{"seven digits are refused", "1234567", "", ErrPIN},
		{"nine digits are refused", "123456700", "", ErrPIN},
		{"digits of another script are not digits", "١٢٣٤", "", ErrPIN},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := CheckPIN(c.text)
			if !errors.Is(err, c.err) || string(got.Bytes()) != c.want {
				t.Errorf("CheckPIN(%q) = %q, %v; want %q, %v", c.text, got.Bytes(), err,
					c.want, c.err)
			}
		})
	}
}

func TestChecksum(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		first7 uint32
		want   uint8
	}{{1234567, 0}, {2468135, 3}, {0, 0}, {1, 7}, {9999999, 5}, {5555444, 2}} {
		if got := Checksum(c.first7); got != c.want {
			t.Errorf("Checksum(%07d) = %d, want %d", c.first7, got, c.want)
		}
	}
}

func TestGeneratePIN(t *testing.T) {
	t.Parallel()
	draws := func(numbers ...uint32) io.Reader {
		var b []byte
		for _, n := range numbers {
			b = binary.BigEndian.AppendUint32(b, n)
		}
		return bytes.NewReader(b)
	}
	for _, c := range []struct {
		name string
		rand io.Reader
		want string
		err  error
	}{
		{"the first seven digits are the number drawn", draws(1234567), "12345670", nil},
		{"zeros in front are printed", draws(1), "00000017", nil},
		{"the highest fair number is the highest PIN", draws(4_289_999_999), "99999995", nil},
		{"a number that would favour some PINs is drawn again", draws(4_290_000_000, 0xffffffff, 7),
			"00000079", nil},
		{"a source that fails is an error", draws(), "", io.EOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := GeneratePIN(c.rand)
			if !errors.Is(err, c.err) || string(got.Bytes()) != c.want {
				t.Fatalf("got %q, %v; want %q, %v", got.Bytes(), err, c.want, c.err)
			}
			if err != nil {
				return
			}
			if again, err := CheckPIN(string(got.Bytes())); err != nil || !again.Equal(got) {
				t.Errorf("CheckPIN does not take it: %v", err)
			}
		})
	}
}

func TestHalves(t *testing.T) {
	t.Parallel()
	nfc, err := FromNFC(0x10, bytes.Repeat([]byte{0x0a, 0xbf}, 8))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name          string
		password      Password
		id            wsc.DevicePasswordID
		first, second string
	}{
		{"a PIN of eight digits", FromPIN(secret.FromString("12345670")), 0, "1234", "5670"},
		{"a PIN of four digits", FromPIN(secret.FromString("1234")), 0, "12", "34"},
		{"an odd length has the longer half first", FromPIN(secret.FromString("12345")), 0,
			"123", "45"},
		{"one character has an empty second half", FromPIN(secret.FromString("7")), 0, "7", ""},
		{"no password has two empty halves", Password{}, 0, "", ""},
		{"a push button has equal halves", PushButton(), 4, "0000", "0000"},
		{"an NFC password is upper-case hex", nfc, 0x10, "0ABF0ABF0ABF0ABF", "0ABF0ABF0ABF0ABF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			first, second := c.password.Halves()
			if string(first) != c.first || string(second) != c.second || c.password.ID != c.id {
				t.Errorf("got %q %q, id %v", first, second, c.password.ID)
			}
		})
	}
}

func TestFromNFC(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		id     wsc.DevicePasswordID
		length int
		ok     bool
	}{
		{"16 bytes are the shortest", 0x10, 16, true},
		{"32 bytes are the longest", 0xffff, 32, true},
		{"15 bytes are refused", 0x10, 15, false},
		{"33 bytes are refused", 0x10, 33, false},
		{"nothing is refused", 0x10, 0, false},
		{"an id below the tokens' is refused", 0x0f, 32, false},
		{"a handover has no password", wsc.PasswordIDNFCConnectionHandover, 32, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := FromNFC(c.id, make([]byte, c.length))
			if c.ok != (err == nil) || (err != nil && !errors.Is(err, ErrNFC)) {
				t.Fatalf("error %v", err)
			}
			if c.ok && (p.ID != c.id || p.Value.Len() != 2*c.length) {
				t.Errorf("id %v, %d characters", p.ID, p.Value.Len())
			}
		})
	}
}

func TestWipeForgets(t *testing.T) {
	t.Parallel()
	p := PushButton()
	first, _ := p.Halves()
	p.Wipe()
	if !bytes.Equal(first, make([]byte, 4)) ||
		string(PushButton().Value.Bytes()) != pushButtonValue {
		t.Error("Wipe does not overwrite, or wipes too much")
	}
}

func FuzzCheckPIN(f *testing.F) {
	for _, s := range []string{"12345670", "1234", "1234-5670", "12345678", "", "\x00\xff9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := CheckPIN(text)
		if err != nil {
			if !v.IsZero() {
				t.Error("a value beside an error")
			}
			return
		}
		again, err := CheckPIN(string(v.Bytes()))
		if err != nil || !again.Equal(v) {
			t.Errorf("%q becomes %q, which is refused: %v", text, v.Bytes(), err)
		}
	})
}
