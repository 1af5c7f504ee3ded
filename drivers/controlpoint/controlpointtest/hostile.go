package controlpointtest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"wpsd/engine/upnp"
)

// Behaviour is what a hostile server does after it has read a request. It ends when writing fails.
type Behaviour func(w io.Writer)

// Hostile starts a server that does what no access point should. It ends with its test.
func Hostile(t testing.TB, at netip.Addr, does Behaviour) upnp.URL {
	t.Helper()
	l, err := net.Listen("tcp4", netip.AddrPortFrom(at, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
		open []net.Conn
	)
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wait.Go(func() {
				defer c.Close()
				if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
					does(c)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wait.Wait()
	})
	return upnp.URL{Host: l.Addr().(*net.TCPAddr).AddrPort(), Path: "/"}
}

// Say writes a text and closes the connection.
func Say(text string) Behaviour {
	return func(w io.Writer) { _, _ = io.WriteString(w, text) }
}

// SayForEver writes a text, and then another one again and again.
func SayForEver(text, again string) Behaviour {
	return func(w io.Writer) {
		_, err := io.WriteString(w, text)
		for block := strings.Repeat(again, 1+4096/len(again)); err == nil; {
			_, err = io.WriteString(w, block)
		}
	}
}

// Dribble writes a text byte by byte with a pause after each, and begins again at its end.
func Dribble(text string, pause time.Duration) Behaviour {
	return func(w io.Writer) {
		for i := 0; ; i++ {
			if _, err := io.WriteString(w, text[i%len(text):][:1]); err != nil {
				return
			}
			time.Sleep(pause)
		}
	}
}

// Silent says nothing until the other side gives up, or the test ends.
func Silent(w io.Writer) {
	if c, ok := w.(net.Conn); ok {
		_, _ = c.Read(make([]byte, 1))
	}
}

// Redirect sends to another URL.
func Redirect(to upnp.URL) Behaviour {
	return Say(fmt.Sprintf("HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", to))
}
