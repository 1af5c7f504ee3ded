package control

import (
	"bytes"
	"strconv"
	"strings"

	"wpsd/engine/secret"
)

// hidden are the secrets of a command and of its reply. Commands are handled as strings, which
// nothing can overwrite: in those a secret is a mark, a zero byte and its number here. A client
// that sends such a mark gets at secrets of its own command and no others.
type hidden []secret.Value

const mark = "\x00"

// put gives the mark of a secret, which is wiped with the others.
func (h *hidden) put(v secret.Value) string {
	*h = append(*h, v)
	return mark + strconv.Itoa(len(*h)-1)
}

// find finds the secret of a mark.
func (h *hidden) find(text string) (secret.Value, bool) {
	digits, ok := strings.CutPrefix(text, mark)
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 || n >= len(*h) {
		return secret.Value{}, false
	}
	return (*h)[n], true
}

// take gives a part of a command as a secret of its own.
func (h *hidden) take(text string) secret.Value {
	if v, ok := h.find(text); ok {
		return v.Clone()
	}
	return secret.FromString(text)
}

func (h *hidden) wipe() {
	for _, v := range *h {
		v.Wipe()
	}
}

// secretParts says which parts of a command's arguments, between spaces, are secret; rest: and all
// that follows.
var secretParts = map[string]struct {
	parts []int
	rest  bool
}{
	"WPS_PIN":       {parts: []int{1}},
	"WPS_CHECK_PIN": {parts: []int{0}, rest: true},
	"SET_NETWORK":   {parts: []int{2}, rest: true},
	"WPS_REG":       {parts: []int{1, 5}},
	"WPS_AP_PIN":    {parts: []int{1}},
	"WPS_ER_PIN":    {parts: []int{1}},
	"WPS_ER_LEARN":  {parts: []int{1}, rest: true},
	"WPS_ER_CONFIG": {parts: []int{1, 5}},
}

// conceal makes a string of a command, with marks in place of its secrets.
func (h *hidden) conceal(command []byte) string {
	ifname, named := []byte(nil), bytes.HasPrefix(command, []byte("IFNAME="))
	if named {
		ifname, command, named = bytes.Cut(command, []byte(" "))
	}
	name, args, _ := bytes.Cut(command, []byte(" "))
	var text strings.Builder
	if ifname != nil {
		text.Write(ifname)
		if named {
			text.WriteByte(' ')
		}
	}
	where, any := secretParts[string(name)]
	if !any {
		text.Write(command)
		return text.String()
	}
	count := -1
	if where.rest {
		count = where.parts[0] + 1
	}
	parts := bytes.SplitN(args, []byte(" "), count)
	for _, n := range where.parts {
		switch {
		case n >= len(parts), len(parts[n]) == 0, string(parts[n]) == nfcWord:
			// nothing, or what stands in place of a PIN
		case string(name) == "WPS_AP_PIN" && string(parts[0]) != "set",
			string(name) == "SET_NETWORK" && string(parts[1]) != "psk":
		default:
			parts[n] = []byte(h.put(secret.New(parts[n])))
		}
	}
	text.Write(command[:len(command)-len(args)])
	text.Write(bytes.Join(parts, []byte(" ")))
	return text.String()
}
