// Package clients shows that others can speak with wpsd: pbc.sh (gdbus), pbc.py (Python with Gio)
// and pbc.js (GJS) join a network by push button against the simulation, and generators of code
// and libraries for D-Bus take every file of the API. The tests have the build tag clients, since
// they need what not every machine has: test/clients/run installs it.
package clients
