package main

import (
	"fmt"
	"io"
	"unicode/utf8"
)

// screen shows progress: on a terminal one line that is drawn over, elsewhere nothing but whole
// lines. It is used by one goroutine.
type screen struct {
	w     io.Writer
	width int  // columns of the terminal
	live  bool // w is a terminal
	drawn bool // the live line is on the screen now
	last  string
}

// newScreen looks at where output goes.
func newScreen(w io.Writer) *screen {
	width, live := isTerminal(w)
	return &screen{w: w, width: width, live: live}
}

// status shows what happens now. On a terminal it is drawn over the previous status together with
// note, which may change every second; elsewhere it becomes a line of its own, and only when it
// differs from the last.
func (s *screen) status(text, note string) {
	if !s.live {
		if text != s.last {
			_, _ = fmt.Fprintln(s.w, text)
		}
		s.last = text
		return
	}
	// The note must stay visible on a narrow terminal, so the text gives way.
	if note != "" {
		text = cut(text, max(10, s.width-1-columns(note)-3)) + " · " + note
	}
	_, _ = fmt.Fprintf(s.w, "\r%s\x1b[K", cut(text, s.width-1))
	s.drawn = true
}

// clear takes the status off the screen.
func (s *screen) clear() {
	if s.drawn {
		_, _ = io.WriteString(s.w, "\r\x1b[K")
		s.drawn = false
	}
}

// columns counts the columns of s, a rune for one.
func columns(s string) int { return utf8.RuneCountInString(s) }
