// Package state has the words in which the service speaks of what there is: the names and values
// that procedures, callers and subscribers share. It has no procedures.
package state
