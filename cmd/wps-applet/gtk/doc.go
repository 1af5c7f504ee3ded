// Package gtk is what the applet needs of GTK 4, libadwaita and GLib, called without cgo. It knows
// nothing of WPS.
//
//	XML ──Build──▶ Builder ──Get──▶ Object: properties, signals (On), a few methods
//	goroutines ──Do──▶ queue ──one idle callback──▶ the thread that runs the main loop
//
// GTK lives on one thread: whatever is here is called there, but Do, which is for all the others.
// The libraries are opened by their sonames, so the program is built without a header of theirs;
// what is missing is an *Unusable, which says what to install. libadwaita 1.2 is the oldest that
// will do (Debian 12), and nothing newer may be called.
//
// A callback of purego is never freed, and there are 2,000 of them at most. So there is one for each
// shape of a C function, made once, and a table that says which Go function is meant; an entry
// leaves the table when the object that it belongs to is finalized.
package gtk
