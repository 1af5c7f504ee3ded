package led

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// light is a folder such as the kernel has for each.
func light(t *testing.T, name, most string) (directory string, is func() string) {
	t.Helper()
	directory = t.TempDir()
	place := filepath.Join(directory, name)
	if err := os.Mkdir(place, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"max_brightness": most, "brightness": "0\n",
		"trigger": "[none] timer"} {
		if err := os.WriteFile(filepath.Join(place, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return directory, func() string {
		text, err := os.ReadFile(filepath.Join(place, "brightness"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
}

func TestLightShowsHowItGoes(t *testing.T) {
	directory, is := light(t, "wps:green", "255\n")
	l, err := Open(directory, "wps:green")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.Waiting(ctx)
		}()
		changes, last := 0, ""
		for range 40 { // 4 s
			synctest.Wait()
			if now := is()[:1]; now != last { // files keep what was longer before
				changes, last = changes+1, now
			}
			time.Sleep(100 * time.Millisecond)
		}
		if changes < 7 || changes > 9 {
			t.Errorf("in four seconds it changed %d times", changes)
		}
		cancel()
		<-done
		if got := is(); !strings.HasPrefix(got, "0") {
			t.Errorf("then it is %s", got)
		}
		began := time.Now()
		l.Success(t.Context())
		if took := time.Since(began); took != shown {
			t.Errorf("success is shown for %v", took)
		}
		began = time.Now()
		l.Failure(t.Context())
		if took := time.Since(began); took != shown {
			t.Errorf("failure is shown for %v", took)
		}
	})
}

func TestNoLight(t *testing.T) {
	t.Parallel()
	directory, _ := light(t, "dark", "0\n")
	for _, name := range []string{"", ".", "..", "../dark", "a\x00b", "dark", "not there"} {
		if l, err := Open(directory, name); err == nil || l != nil {
			t.Errorf("%q is a light", name)
		} else if name != "not there" && !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	var none *Light
	none.Success(t.Context()) // shows nothing, and returns
}
