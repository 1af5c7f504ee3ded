package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

type holder struct {
	Name string
	key  Value
}

func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	const text = "correct horse battery"
	v := FromString(text)
	h := holder{"n", v}
	var logged bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&logged, nil))
	log.Info("x", "v", v, "h", h, "p", &h)
	asJSON, err := json.Marshal(map[string]any{"v": v, "h": h})
	if err != nil {
		t.Fatal(err)
	}
	outputs := []string{logged.String(), string(asJSON)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		outputs = append(outputs, fmt.Sprintf(verb, v), fmt.Sprintf(verb, h), fmt.Sprintf(verb, &h),
			fmt.Sprintf(verb, []Value{v}))
	}
	for _, out := range outputs {
		for _, form := range []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text),
			strings.Trim(fmt.Sprint([]byte(text)), "[]")} {
			if strings.Contains(out, form) {
				t.Errorf("the secret shows in %q", out)
			}
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	source := []byte("12345670")
	v := New(source)
	source[0] = 'x'
	if string(v.Bytes()) != "12345670" {
		t.Error("New does not copy")
	}
	if !v.Equal(FromString("12345670")) || v.Equal(FromString("1234567")) || v.Equal(Value{}) {
		t.Error("Equal is wrong")
	}
	if (Value{}).Len() != 0 || !(Value{}).IsZero() || v.IsZero() {
		t.Error("the zero Value is not empty")
	}
	clone, same := v.Clone(), v
	v.Wipe()
	if !bytes.Equal(same.Bytes(), make([]byte, 8)) {
		t.Error("Wipe does not reach copies")
	}
	if string(clone.Bytes()) != "12345670" {
		t.Error("Wipe reaches clones")
	}
	Value{}.Wipe()
}

// TestBytesAreOnTheHeap: also where a Value stays in the function that makes it. On a stack, an old
// copy of the bytes is left when that grows.
func TestBytesAreOnTheHeap(t *testing.T) {
	source, text := []byte("12345670"), "12345670"
	held := New(source)
	for name, use := range map[string]func(){
		"New":        func() { v := New(source); v.Wipe() },
		"FromString": func() { v := FromString(text); v.Wipe() },
		"Zeros":      func() { v := Zeros(8); v.Wipe() },
		"Clone":      func() { v := held.Clone(); v.Wipe() },
	} {
		// The bytes, the slice of them, and the pointer to that.
		if n := testing.AllocsPerRun(100, use); n < 3 {
			t.Errorf("%s makes %v objects on the heap, not 3: the bytes are on the stack", name, n)
		}
	}
}
