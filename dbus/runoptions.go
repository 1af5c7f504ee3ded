package dbus

import (
	"maps"
	"slices"
	"strings"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/service/outcome"
	"wpsd/service/session"
)

// The options that methods which start something have in common. Every such method takes "detach":
// a program that calls once and leaves, such as busctl, could start nothing otherwise, as a session
// ends with its owner.
const (
	optionDetach = "detach" // b: the session outlives its caller
	optionApply  = "apply"  // s: who gets the network that it brings
	optionForce  = "force"  // b: a PIN is used whose check digit is wrong
)

// The sets of them that there are.
var (
	admits    = []string{optionDetach} // lets a device in, and receives nothing
	admitsPIN = []string{optionDetach, optionForce}
	receives  = []string{optionDetach, optionApply}
	usesPIN   = []string{optionDetach, optionApply, optionForce}
)

// runOptions are their values.
type runOptions struct {
	detach, force bool
	apply         string
}

// decodeRun reads the a{sv} of a method that starts something: the common options of a set, and
// more.
func (r *request) decodeRun(given map[string]godbus.Variant, set []string,
	more map[string]any) (runOptions, error) {
	o := runOptions{apply: "auto"}
	fields := map[string]any{optionDetach: &o.detach, optionApply: &o.apply, optionForce: &o.force}
	maps.DeleteFunc(fields, func(key string, _ any) bool { return !slices.Contains(set, key) })
	maps.Copy(fields, more)
	if err := decodeOptions(given, fields); err != nil {
		return o, err
	}
	return o, r.checkApply(o.apply)
}

// checkApply checks the option that says who is to configure the network.
func (r *request) checkApply(name string) error {
	if name == session.ApplyAuto || name == session.ApplyNone || slices.Contains(r.managers, name) {
		return nil
	}
	return outcome.NoManager.Of(quote(name), strings.Join(r.managers, ", "))
}
