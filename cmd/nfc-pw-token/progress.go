package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

// barInterval is how often the bar is drawn.
const barInterval = 100 * time.Millisecond

// showProgress draws a bar on w, if w is a terminal that can be drawn on, until the returned
// function is called, which takes it off again and returns when that is done.
func showProgress(w io.Writer, count int, made *atomic.Int64) (stop func()) {
	f, isFile := w.(*os.File)
	if !isFile || os.Getenv("TERM") == "dumb" || !term.IsTerminal(int(f.Fd())) {
		return func() {}
	}
	done := make(chan struct{})
	var drawer sync.WaitGroup
	drawer.Go(func() {
		tick := time.NewTicker(barInterval)
		defer tick.Stop()
		started := time.Now()
		for {
			width, _, err := term.GetSize(int(f.Fd())) // each time: windows are resized
			if err != nil || width < 20 {              // some terminals do not know, and say 0
				width = 80
			}
			_, _ = fmt.Fprintf(w, "\r%s\x1b[K",
				bar(int(made.Load()), count, width-1, time.Since(started)))
			select {
			case <-tick.C:
			case <-done:
				_, _ = io.WriteString(w, "\r\x1b[K")
				return
			}
		}
	})
	return func() {
		close(done)
		drawer.Wait()
	}
}

// bar is the line that is drawn: as much of a bar as fits, the numbers, and the time left once that
// can be told.
func bar(made, count, width int, passed time.Duration) string {
	numbers := fmt.Sprintf("%d of %d tokens", made, count)
	if made > 0 && made < count {
		left := time.Duration(float64(passed) / float64(made) * float64(count-made)).Round(
			time.Second)
		numbers += fmt.Sprintf(", %v left", left)
	}
	room := min(width-len(numbers)-3, 50) // two brackets and a blank
	if room < 5 {
		return numbers[:max(0, min(len(numbers), width))]
	}
	full := room * made / count
	return "[" + strings.Repeat("#", full) + strings.Repeat(" ", room-full) + "] " + numbers
}
