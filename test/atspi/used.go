package atspi

import (
	"slices"
	"sync"
)

// presses is what the trees of this process have shown to press, and what of it was pressed.
var presses = struct {
	sync.Mutex
	shown, done map[string]bool
}{shown: map[string]bool{}, done: map[string]bool{}}

// pressable are the roles of what a person presses.
var pressable = []string{"push button", "toggle button", "button", "menu item", "switch"}

// showing notes what could be pressed.
func showing(list []*Node) {
	presses.Lock()
	defer presses.Unlock()
	for _, n := range list {
		if slices.Contains(pressable, n.role) && n.is(stateVisible) && n.is(stateSensitive) &&
			n.name != "" {
			presses.shown[n.name] = true
		}
	}
}

// pressed notes that something was pressed, by its action or by the keyboard.
func pressed(name string) {
	presses.Lock()
	defer presses.Unlock()
	presses.done[name] = true
}

// Presses gives the names of the buttons, switches and items of menus that the trees of this
// process have shown so far, and of those that were pressed.
func Presses() (shown, done []string) {
	presses.Lock()
	defer presses.Unlock()
	for name := range presses.shown {
		shown = append(shown, name)
	}
	for name := range presses.done {
		done = append(done, name)
	}
	return shown, done
}
