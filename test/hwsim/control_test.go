//go:build hwsim

package hwsim

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// control is a client of the control socket that hostapd and wpa_supplicant share: one datagram
// asks, one answers; a second socket that has said ATTACH gets the events ("<3>WPS-SUCCESS ").
type control struct {
	w       *world
	name    string
	request *net.UnixConn
	watch   *net.UnixConn
	events  *record[event]
}

// event is one line of the peer with the time it reached us.
type event struct {
	text string
	at   time.Time
}

var controlSockets atomic.Int64 // each client socket needs a name of its own

// dialControl connects to a control socket as soon as it is there.
func (w *world) dialControl(p *process, path string) *control {
	w.t.Helper()
	w.until(p.name+" opens its control socket", 20*time.Second, func() bool {
		if !p.running() {
			w.t.Fatalf("%s ended early:\n%s", p.name, tail(p.output(), 20))
		}
		_, err := os.Stat(path)
		return err == nil
	})
	c := &control{w: w, name: p.name, events: newRecord[event]()}
	c.request, c.watch = w.dialUnix(path), w.dialUnix(path)
	if _, err := c.watch.Write([]byte("ATTACH")); err != nil {
		w.t.Fatal(err)
	}
	go c.collect()
	attached := func(e event) bool { return e.text == "OK" }
	if _, ok := c.events.wait(0, patience(5*time.Second), attached); !ok {
		w.t.Fatalf("%s: no answer to ATTACH", p.name)
	}
	return c
}

func (w *world) dialUnix(path string) *net.UnixConn {
	w.t.Helper()
	// where wpa_cli has its own: the sandbox answers there
	own := fmt.Sprintf("/tmp/hwsim-client-%d", controlSockets.Add(1))
	conn, err := net.DialUnix("unixgram", &net.UnixAddr{Name: own, Net: "unixgram"},
		&net.UnixAddr{Name: path, Net: "unixgram"})
	w.must(err)
	w.t.Cleanup(func() {
		conn.Close()
		os.Remove(own)
	})
	return conn
}

// collect puts events on record until the socket is closed.
func (c *control) collect() {
	buffer := make([]byte, 8192)
	for {
		n, err := c.watch.Read(buffer)
		if err != nil {
			return
		}
		text := strings.TrimRight(string(buffer[:n]), "\n")
		if strings.HasPrefix(text, "<") { // "<3>": the priority
			_, text, _ = strings.Cut(text, ">")
		}
		c.events.add(event{text, time.Now()})
	}
}

// ask sends a command and returns its answer without the last newline.
func (c *control) ask(format string, args ...any) string {
	c.w.t.Helper()
	command := fmt.Sprintf(format, args...)
	if _, err := c.request.Write([]byte(command)); err != nil {
		c.w.t.Fatalf("%s: %s: %v", c.name, command, err)
	}
	buffer := make([]byte, 8192)
	c.request.SetReadDeadline(time.Now().Add(patience(10 * time.Second)))
	n, err := c.request.Read(buffer)
	if err != nil {
		c.w.t.Fatalf("%s: %s: %v", c.name, command, err)
	}
	return strings.TrimRight(string(buffer[:n]), "\n")
}

// mustOK sends a command that has to be answered with OK.
func (c *control) mustOK(format string, args ...any) {
	c.w.t.Helper()
	if answer := c.ask(format, args...); answer != "OK" {
		c.w.t.Fatalf("%s: %s: %q", c.name, fmt.Sprintf(format, args...), answer)
	}
}

// level says which events we want to hear.
func (c *control) level(n int) {
	c.w.t.Helper()
	if _, err := fmt.Fprintf(c.watch, "LEVEL %d", n); err != nil {
		c.w.t.Fatal(err)
	}
}

// wait waits for an event that starts with prefix, counting from the events'th; see mark.
func (c *control) wait(from int, prefix string, timeout time.Duration) event {
	c.w.t.Helper()
	e, ok := c.events.wait(from, patience(timeout), func(e event) bool {
		return strings.HasPrefix(e.text, prefix)
	})
	if !ok {
		var seen []string
		for _, e := range c.events.all(from) {
			seen = append(seen, e.text)
		}
		c.w.t.Fatalf("%s: no %q within %v, but:\n  %s", c.name, prefix, timeout,
			strings.Join(seen, "\n  "))
	}
	return e
}

// saw tells whether an event with the prefix has come since mark.
func (c *control) saw(from int, prefix string) bool {
	for _, e := range c.events.all(from) {
		if strings.HasPrefix(e.text, prefix) {
			return true
		}
	}
	return false
}

// mark is the position in the events after which a wait should look.
func (c *control) mark() int { return c.events.len() }
