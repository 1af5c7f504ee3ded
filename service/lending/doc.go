// Package lending knows who has a network interface: which network manager, how one that lets go
// for a while gets it back whatever happens (a journal on disk has what is owed), and which one
// gets a network that was received. It knows no protocol, no session and no client.
package lending
