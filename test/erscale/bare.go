package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"wpsd/engine/wsc"
)

// What any program in Go takes for the requests alone: one with nothing but the standard library
// makes as many of them as wpsd does, each over a connection of its own, since hostapd closes one
// after its answer. No D-Bus, no engine, no store. It is the limit of what wpsd can come down to.

// bareInside is set for that program, which is this one.
const bareInside = "ERSCALE_BARE"

// The requests to an access point: its description, its introduction, and the subscription; and of
// a learn the introduction, and one for each of four messages.
const (
	bareStarts = 3
	bareLearns = 5
)

// bare is a contestant.
type bare struct {
	cmd     *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Reader
	house   *house
}

func startBare(h *house) (*bare, error) {
	b := &bare{cmd: exec.Command("/proc/self/exe"), house: h}
	b.cmd.Env = append(os.Environ(), bareInside+"=1")
	b.cmd.Stderr = os.Stderr
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	b.answers = bufio.NewReader(out)
	if b.orders, err = b.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return b, b.cmd.Start()
}

// order has it make so many requests of each, and waits until all are answered.
func (b *bare) order(count int, to ...*accessPoint) error {
	line := fmt.Sprint(count)
	for _, a := range to {
		line += " " + a.Location().Host.String()
	}
	if _, err := fmt.Fprintln(b.orders, line); err != nil {
		return err
	}
	_, err := b.answers.ReadString('\n')
	return err
}

func (b *bare) pid() int            { return b.cmd.Process.Pid }
func (b *bare) start(aps int) error { return b.order(bareStarts, b.house.devices[:aps]...) }
func (b *bare) end() error          { return nil }

func (b *bare) learn(uuid wsc.UUID) error {
	for _, a := range b.house.devices {
		if a.UUID() == uuid {
			return b.order(bareLearns, a)
		}
	}
	return fmt.Errorf("no access point %v", uuid)
}

func (b *bare) quit() {
	_ = b.orders.Close()
	_ = b.cmd.Wait() // how it ended is not what is measured
}

// beBare is the program: it takes orders until there are no more.
func beBare() error {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		var count int
		if _, err := fmt.Sscan(fields[0], &count); err != nil {
			return err
		}
		var all sync.WaitGroup
		for _, host := range fields[1:] {
			all.Go(func() {
				for range count {
					if err := requestBare(host); err != nil {
						fmt.Fprintln(os.Stderr, "bare:", err)
					}
				}
			})
		}
		all.Wait()
		fmt.Println("done")
	}
	return nil
}

// requestBare asks for a description.
func requestBare(host string) error {
	conn, err := net.Dial("tcp4", host)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET /wps_device.xml HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
		host); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, conn)
	return err
}
