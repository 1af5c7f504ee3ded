package gtk

import (
	"sync"

	"github.com/ebitengine/purego"
)

// G_SOURCE_CONTINUE and G_SOURCE_REMOVE, and priorities of GLib's main loop.
const (
	keepSource      = 1
	removeSource    = 0
	priorityDefault = 0
	priorityIdle    = 200
)

// trampolines are the callbacks that C calls, one for each shape.
var trampolines struct {
	signal0 uintptr // (instance, data)
	signal1 uintptr // (instance, argument, data)
	gone    uintptr // (data, closure): what a signal belonged to is finalized
	idle    uintptr // (data)
	timer   uintptr // (data)
	draw    uintptr // (area, cairo, width, height, data)
}

// handlers are the Go functions behind the callbacks, by number. Only GTK's thread uses it.
var handlers = struct {
	next  uintptr
	plain map[uintptr]func(argument uintptr) uintptr
	draw  map[uintptr]func(Drawing)
	timer map[uintptr]func() bool
}{plain: map[uintptr]func(uintptr) uintptr{}, draw: map[uintptr]func(Drawing){},
	timer: map[uintptr]func() bool{}}

// queue is what other goroutines want done on GTK's thread.
var queue struct {
	sync.Mutex
	todo []func()
}

func makeCallbacks() {
	t := &trampolines
	t.signal0 = purego.NewCallback(func(_, data uintptr) uintptr {
		if f := handlers.plain[data]; f != nil {
			return f(0)
		}
		return 0
	})
	t.signal1 = purego.NewCallback(func(_, argument, data uintptr) uintptr {
		if f := handlers.plain[data]; f != nil {
			return f(argument)
		}
		return 0
	})
	t.gone = purego.NewCallback(func(data, _ uintptr) uintptr {
		delete(handlers.plain, data)
		delete(handlers.draw, data)
		return 0
	})
	t.idle = purego.NewCallback(func(_ uintptr) uintptr {
		queue.Lock()
		todo := queue.todo
		queue.todo = nil
		queue.Unlock()
		for _, f := range todo {
			f()
		}
		return removeSource
	})
	t.timer = purego.NewCallback(func(data uintptr) uintptr {
		if f := handlers.timer[data]; f != nil && f() {
			return keepSource
		}
		delete(handlers.timer, data)
		return removeSource
	})
	t.draw = purego.NewCallback(func(_, cr uintptr, width, height int32, data uintptr) uintptr {
		if f := handlers.draw[data]; f != nil {
			f(Drawing{cr: cr, Width: float64(width), Height: float64(height)})
		}
		return 0
	})
}

// Do has f run on GTK's thread, after whatever runs there now. It may be called from anywhere, once
// Load has returned.
func Do(f func()) {
	queue.Lock()
	defer queue.Unlock()
	queue.todo = append(queue.todo, f)
	if len(queue.todo) == 1 {
		c.idleAddFull(priorityDefault, trampolines.idle, 0, 0)
	}
}

// Timer runs a function again and again, as long as that returns true.
type Timer struct {
	source uint32
	number uintptr
}

// EverySecond starts a Timer. GLib wakes up for all timers of whole seconds at once.
func EverySecond(seconds uint32, f func() bool) *Timer {
	handlers.next++
	n := handlers.next
	handlers.timer[n] = f
	return &Timer{number: n, source: c.timeoutAddSecondsFull(priorityDefault, seconds,
		trampolines.timer, n, 0)}
}

// Stop ends a Timer; one that has ended, or nil, is left alone.
func (t *Timer) Stop() {
	if t == nil {
		return
	}
	if _, runs := handlers.timer[t.number]; runs {
		delete(handlers.timer, t.number)
		c.sourceRemove(t.source)
	}
}
