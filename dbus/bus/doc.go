// Package bus is the one kind of D-Bus connection that programs of this house have: the Server's,
// those to network managers, logind and neard, and wpsctl's.
//
//	bus ──bytes──▶ reader ──answers──▶ who asked (decodes)
//	                 │ ╲────signals──▶ who follows the sender (decodes)
//	                 │  ╲───calls────▶ who serves them (decodes)
//	                 ╲──all else──▶ nowhere: read past, undecoded
//
// Any local user may send any message to any connection of a bus: signals, too, which need no match
// rule then. So the reader looks at the header of each message (the bus has checked it) and takes
// only what was asked for, from whom it was asked:
//
//   - answers to calls of ours, from the connection that the call went to: the unique name, or an
//     owner that a followed name had since; errors also from the bus, which speaks for who is not
//     there;
//   - signals of the bus itself, and those of the owners of followed names that somebody listens to
//     (Follow);
//   - method calls for what is served here (Options.OnCall, Serve), and then only from who may
//     call;
//   - file descriptors with the answer to CallFile. All others are closed at once, and a connection
//     takes none at all unless Options.Files says so.
//
// The length and number of all of it is bounded. Bodies are decoded by whoever wants them, in its
// goroutine: one that cannot be decoded is its error, and nothing else.
//
// The codec is godbus's; its connection is not used. It decodes each message before anybody can say
// whether it is wanted, ends the connection over valid bodies that it cannot decode (a{gs}), starts
// a goroutine for each call, and looks at the sender of nothing.
package bus
