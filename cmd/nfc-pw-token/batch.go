package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// tableSuffix tells a table from a directory in --out.
const tableSuffix = ".csv"

// sink is where a batch goes: a directory or a table.
type sink interface {
	// put stores one token for good; it is called by several goroutines. What fails leaves nothing
	// behind.
	put(number int, t *token) error
	// close is called once at the end, when no put is under way.
	close() error
}

// batch makes the tokens on all processors.
func (a *app) batch(ctx context.Context) error {
	to, err := a.open()
	if err != nil {
		return err
	}
	var made atomic.Int64
	started := time.Now()
	stopBar := showProgress(a.errOut, a.count, &made)
	err = produce(ctx, a.rand, a.count, to, &made)
	err = errors.Join(err, to.close())
	stopBar()
	n := made.Load()
	if err != nil {
		return fmt.Errorf("after %d of %d tokens: %w", n, a.count, err)
	}
	perSecond := float64(n) / max(time.Since(started).Seconds(), 1e-3)
	_, _ = fmt.Fprintf(a.errOut, "%d %s in %s, %.0f per second\n", n, plural(n),
		a.target, perSecond)
	return nil
}

func plural(n int64) string {
	if n == 1 {
		return "token"
	}
	return "tokens"
}

// open prepares the place that --out names.
func (a *app) open() (sink, error) {
	if strings.HasSuffix(strings.ToLower(a.target), tableSuffix) {
		return newTable(a.target)
	}
	return newDirectory(a.target, a.count)
}

// produce makes count tokens and puts them, until the first error; made counts along.
func produce(ctx context.Context, rand io.Reader, count int, to sink, made *atomic.Int64) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), count) {
		workers.Go(func() {
			for ctx.Err() == nil {
				number := int(next.Add(1))
				if number > count {
					return
				}
				if err := makeOne(rand, number, to); err != nil {
					fail(err)
					return
				}
				made.Add(1)
			}
		})
	}
	workers.Wait()
	if made.Load() == int64(count) {
		return nil // a Ctrl-C that came after the last token changes nothing
	}
	return context.Cause(ctx)
}

func makeOne(rand io.Reader, number int, to sink) error {
	t, err := newToken(rand)
	if err != nil {
		return err
	}
	defer t.wipe()
	return to.put(number, t)
}
