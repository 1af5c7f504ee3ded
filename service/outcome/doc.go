// Package outcome says how a session or a call ended: the reason, what there is to know of it, and
// the one sentence with which a person is told. Each sentence stands once, in sentences.go or
// errors.go, with places for its details; so a client with another language has sentences of its
// own, and fills the same details in.
//
// It is made of values and does nothing, so that clients can have it, too.
package outcome
