package bus

import "strings"

// maxDepth bounds how deep values are nested in one another (D-Bus specification, "Valid
// Signatures": 32 arrays and 32 structures, and as deep again in variants).
const maxDepth = 64

// walker goes through the values of a message's body.
type walker struct {
	fieldReader
	leaf func(at Place, code byte, from, to int)
}

// walk calls leaf for each text (code 's') and each array of bytes ('a') in the body of a frame,
// with the bytes that are its content.
func (m *Message) walk(frame []byte, leaf func(at Place, code byte, from, to int)) error {
	if m.bodyStart() > uint64(len(frame)) {
		return ErrBody
	}
	w := &walker{fieldReader{order: m.order, b: frame, pos: int(m.bodyStart())}, leaf}
	for arg, rest := 0, m.Signature; rest != "" && !w.failed; arg++ {
		rest = w.value(rest, Place{Arg: arg}, 0)
	}
	if w.failed {
		return ErrBody
	}
	return nil
}

// fail ends the walk.
func (w *walker) fail() string {
	w.failed, w.pos = true, len(w.b)
	return ""
}

// sizes of the types of fixed length; they are aligned to as much.
var sizes = map[byte]int{'y': 1, 'n': 2, 'q': 2, 'b': 4, 'i': 4, 'u': 4, 'h': 4, 'x': 8,
	't': 8, 'd': 8}

// value goes past one value, of the first type of a signature, and returns the rest of that.
func (w *walker) value(signature string, at Place, depth int) (rest string) {
	if signature == "" || depth > maxDepth || w.failed {
		return w.fail()
	}
	code, rest := signature[0], signature[1:]
	if size, ok := sizes[code]; ok {
		w.align(size)
		w.take(uint64(size))
		return rest
	}
	switch code {
	case 's', 'o':
		n := w.uint32()
		from := w.pos
		if w.take(uint64(n)+1) != nil && code == 's' {
			w.leaf(at, 's', from, from+int(n))
		}
	case 'g':
		w.take(uint64(w.byte()) + 1)
	case 'v':
		if w.value(w.text(uint64(w.byte())), at, depth+1) != "" {
			return w.fail()
		}
	case 'a':
		return w.array(rest, at, depth)
	case '(':
		w.align(8)
		for !strings.HasPrefix(rest, ")") && !w.failed {
			rest = w.value(rest, nowhere, depth+1)
		}
		return strings.TrimPrefix(rest, ")")
	default:
		return w.fail()
	}
	return rest
}

// array goes past an array, whose elements' type the signature begins with.
func (w *walker) array(signature string, at Place, depth int) (rest string) {
	n := w.uint32()
	rest = after(signature, depth+1)
	if w.failed || signature == "" {
		return w.fail()
	}
	if signature[0] == 'y' {
		from := w.pos
		if w.take(uint64(n)) != nil {
			w.leaf(at, 'a', from, from+int(n))
		}
		return rest
	}
	w.align(alignment(signature[0]))
	end := w.pos + int(n)
	for element := 0; w.pos < end && !w.failed; element++ {
		before := w.pos
		switch {
		case signature[0] == '{':
			w.entry(signature[1:], at, depth+1)
		case at.Arg >= 0 && at.Key == "" && depth == 0: // an argument
			w.value(signature, Place{Arg: at.Arg, Element: element}, depth+1)
		default:
			w.value(signature, nowhere, depth+1)
		}
		if w.pos == before {
			return w.fail()
		}
	}
	if w.pos != end {
		return w.fail()
	}
	return rest
}

// entry goes past one entry of a dictionary, which may be of dictionaries.
func (w *walker) entry(signature string, at Place, depth int) {
	w.align(8)
	from := w.pos
	rest := w.value(signature, nowhere, depth)
	inner := nowhere
	if strings.HasPrefix(signature, "s") && at.Arg >= 0 && at.Key == "" &&
		w.pos >= from+5 && !w.failed {
		inner = at
		if key := string(w.b[from+4 : w.pos-1]); strings.HasPrefix(rest, "a{sv}") && at.In == "" {
			inner.In = key
		} else {
			inner.Key = key
		}
	}
	if !strings.HasPrefix(w.value(rest, inner, depth), "}") {
		w.fail()
	}
}

// alignment is where a value of a type begins: at a multiple of this.
func alignment(code byte) int {
	switch code {
	case 'g', 'v':
		return 1
	case '(', '{':
		return 8
	}
	if size, ok := sizes[code]; ok {
		return size
	}
	return 4
}

// after is what follows the first type of a signature.
func after(signature string, depth int) string {
	if signature == "" || depth > maxDepth {
		return ""
	}
	rest := signature[1:]
	switch signature[0] {
	case 'a':
		return after(rest, depth+1)
	case '(', '{':
		closing := ")"
		if signature[0] == '{' {
			closing = "}"
		}
		for rest != "" && !strings.HasPrefix(rest, closing) {
			rest = after(rest, depth+1)
		}
		return strings.TrimPrefix(rest, closing)
	}
	return rest
}
