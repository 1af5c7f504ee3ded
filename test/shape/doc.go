// Package shape measures the shape of our code: how large types and functions are, and whether the
// files of a package can be read from top to bottom. Its test holds the limits; what is beyond them
// today is in ceilings.go, with figures that may only fall.
package shape
