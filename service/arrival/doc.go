// Package arrival is what happens to Credentials, whatever way they came: in M8, in an access
// point's settings, over UPnP, on an NFC tag, or typed in. They are stored as far as they fit, then
// told of, and offered to agents; what is left out is said. It has no procedure.
package arrival
