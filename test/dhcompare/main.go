// Command dhcompare compares our Diffie-Hellman with OpenSSL's, as wpa_supplicant 2.10 calls it: a
// key pair and a shared secret in group 5, which is one side's share of a run.
//
//	go run ./test/dhcompare
//
// It needs a C compiler and OpenSSL's headers. The C program and our code take turns, so that
// whatever else the machine does hits both, and CPU time is counted, not time.
package main

import (
	"crypto/rand"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"wpsd/engine/wsccrypto"
)

//go:embed openssl/dh5.c
var source string

// figures are what one round measures, in nanoseconds of CPU time.
type figures struct {
	pair, shared, check []float64
	about               string
}

// side is a run's share: pair and secret.
func (f figures) side() float64 { return median(f.pair) + median(f.shared) }

func main() {
	rounds := flag.Int("rounds", 15, "how often both take a turn")
	turn := flag.Duration("turn", 40*time.Millisecond, "CPU time for each case in a turn")
	limit := flag.Float64("max", 0,
		"fail if our share of a run costs more than this part of OpenSSL's; 0: never")
	flag.Parse()
	ratio, err := compare(os.Stdout, *rounds, *turn)
	if err != nil {
		fmt.Fprintln(os.Stderr, "dhcompare:", err)
		os.Exit(1)
	}
	if *limit > 0 && ratio > *limit {
		fmt.Fprintf(os.Stderr, "dhcompare: %.2f of OpenSSL's time, more than %.2f\n", ratio, *limit)
		os.Exit(1)
	}
}

// compare prints the table and returns the ratio of one side with a key pair made in the run.
func compare(w io.Writer, rounds int, turn time.Duration) (float64, error) {
	dir, err := os.MkdirTemp("", "dhcompare")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "dh5")
	if err := build(program); err != nil {
		return 0, err
	}
	first, err := cost(0, newPair) // with the table for g, which stays
	if err != nil {
		return 0, err
	}
	var ours, theirs figures
	for i := range rounds {
		turns := []func() error{
			func() error { return theirs.openSSL(program, turn) },
			func() error { return ours.own(turn) },
		}
		if i%2 == 1 { // neither is always the one that finds the processor warm
			slices.Reverse(turns)
		}
		for _, f := range turns {
			if err := f(); err != nil {
				return 0, err
			}
		}
	}
	ratio := ours.side() / theirs.side()
	ahead := median(ours.shared) / theirs.side()
	fmt.Fprintf(w, "%s; %d rounds, microseconds of CPU time, median (least)\n",
		theirs.about, rounds)
	fmt.Fprintf(w, "%-46s %16s %16s %7s\n", "", "wpsd", "OpenSSL", "ratio")
	row := func(name string, a, b []float64) {
		fmt.Fprintf(w, "%-46s %16s %16s %7.2f\n", name, show(a), show(b), median(a)/median(b))
	}
	row("key pair", ours.pair, theirs.pair)
	row("shared secret", ours.shared, theirs.shared)
	fmt.Fprintf(w, "%-46s %16s %16s\n", "  of which: check of the peer's key",
		show(ours.check), "not made")
	fmt.Fprintf(w, "%-46s %16.0f %16.0f %7.2f\n", "one side of a run", ours.side()/1e3,
		theirs.side()/1e3, ratio)
	fmt.Fprintf(w, "%-46s %16.0f %16.0f %7.2f\n", "one side, our key pair made ahead of time",
		median(ours.shared)/1e3, theirs.side()/1e3, ahead)
	fmt.Fprintf(w, "the first key pair of a process, table included: %.0f\n", first/1e3)
	return ratio, nil
}

// own measures our code.
func (f *figures) own(turn time.Duration) error {
	pair, err := cost(turn, newPair)
	if err != nil {
		return err
	}
	mine, err := wsccrypto.GenerateKeyPair(rand.Reader)
	if err != nil {
		return err
	}
	peer, err := wsccrypto.GenerateKeyPair(rand.Reader)
	if err != nil {
		return err
	}
	public := peer.Public()
	shared, err := cost(turn, func() error {
		z, err := mine.SharedSecret(public)
		z.Wipe()
		return err
	})
	if err != nil {
		return err
	}
	check, err := cost(turn/4, func() error { return wsccrypto.CheckPublicKey(public) })
	f.pair, f.shared, f.check = append(f.pair, pair), append(f.shared, shared),
		append(f.check, check)
	return err
}

func newPair() error {
	k, err := wsccrypto.GenerateKeyPair(rand.Reader)
	if err == nil {
		k.Wipe()
	}
	return err
}

// cost is the CPU time of one call, garbage collection included, over at least turn.
func cost(turn time.Duration, call func() error) (float64, error) {
	start, n := cpu(), 0
	for {
		if err := call(); err != nil {
			return 0, err
		}
		n++
		if used := cpu() - start; used >= turn {
			return float64(used) / float64(n), nil
		}
	}
}

// cpu is the CPU time of this process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic("dhcompare: " + err.Error())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// openSSL runs the C program.
func (f *figures) openSSL(program string, turn time.Duration) error {
	out, err := exec.Command(program, fmt.Sprint(turn.Milliseconds())).Output()
	if err != nil {
		return fmt.Errorf("the OpenSSL program: %w", err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		values[name] = value
	}
	pair, err1 := strconv.ParseFloat(values["keypair"], 64)
	shared, err2 := strconv.ParseFloat(values["shared"], 64)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("the OpenSSL program's answer %q: %w", out, err)
	}
	f.pair, f.shared = append(f.pair, pair), append(f.shared, shared)
	f.about = values["version"] + ", private keys of " + values["bits"] + " bits"
	return nil
}

// build compiles the C program, or says what to install.
func build(program string) error {
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	if _, err := exec.LookPath(cc); err != nil {
		return fmt.Errorf("no C compiler %s (Debian: apt-get install gcc libc6-dev libssl-dev)", cc)
	}
	compile := func(code string, args ...string) ([]byte, error) {
		cmd := exec.Command(cc, append([]string{"-x", "c", "-"}, args...)...)
		cmd.Stdin = strings.NewReader(code)
		return cmd.CombinedOutput()
	}
	if _, err := compile("#include <openssl/dh.h>\n", "-E", "-o", os.DevNull); err != nil {
		return errors.New("OpenSSL's headers are missing (Debian: apt-get install libssl-dev; Fedora: dnf install openssl-devel)")
	}
	if out, err := compile(source, "-O2", "-Wall", "-o", program, "-lcrypto"); err != nil {
		return fmt.Errorf("%s: %w\n%s", cc, err, out)
	}
	return nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s)%2 == 0 {
		return (s[len(s)/2-1] + s[len(s)/2]) / 2
	}
	return s[len(s)/2]
}

func show(v []float64) string {
	return fmt.Sprintf("%.0f (%.0f)", median(v)/1e3, slices.Min(v)/1e3)
}
