// Package wsc is the vocabulary and the codec of Wi-Fi Simple Configuration (WSC), which users know
// as Wi-Fi Protected Setup: attributes, enumerations, the messages M1 to M8 with M2D, WSC_ACK,
// WSC_NACK and WSC_Done, the plaintext of Encrypted Settings, Credentials, and the data of the WSC
// element in beacons, probes and associations.
//
// Parse functions read what a peer sent. They tolerate what deployed devices get wrong and what
// hostap's parser therefore lets pass (each tolerance names its witness), refuse everything else
// with a *ParseError, skip what they do not know, and copy what they keep. Append methods are their
// mirror: they write attributes in exactly the order that hostap sends, because iwd reads messages
// in that order only.
//
// A Version2 of zero in any struct stands for version 1.0 of the protocol, which knows no WFA
// extension; Version20 is what we speak.
//
// Everything here is plain data without locks: values may be shared for reading, not for writing.
package wsc
