// Package control answers on wpa_supplicant's control interface, so that wpa_cli, wpa_gui and the
// scripts of fifteen years work with wpsd: text commands in datagrams, one reply each, and events
// for those that have attached.
//
//	wpa_cli ──"WPS_PBC"──▶ port ──▶ commands ──▶ service          one goroutine for each socket
//	        ◀──"OK\n"────    │
//	        ◀──"<3>WPS-…"── monitors ◀── translator ◀── state.Subscription        one goroutine for all events
//
// Replies and events have wpa_supplicant's format to the byte, since programs compare them as text.
// Where wpsd differs on purpose the command says why: it answers FAIL at once to what would fail
// later, never OK to what has no effect.
//
// Who may connect is told by the permissions of the sockets, as with wpa_supplicant; who that was,
// the kernel tells with each datagram (SCM_CREDENTIALS). Nothing that a client does or leaves
// undone holds anybody up: requests are read one by one, replies and events are sent without
// waiting, and who does not read loses them.
package control
