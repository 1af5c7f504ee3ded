package wsc

import "encoding/binary"

// authenticatorLen is the length of the Authenticator attribute with its header.
const authenticatorLen = headerLen + 8

// SplitAuthenticator cuts the Authenticator off a message; ok is false if the last twelve bytes are
// not one. body is a part of msg.
func SplitAuthenticator(msg []byte) (body []byte, auth [8]byte, ok bool) {
	n := len(msg) - authenticatorLen
	if n < 0 || binary.BigEndian.Uint16(msg[n:]) != uint16(AttrAuthenticator) ||
		binary.BigEndian.Uint16(msg[n+2:]) != 8 {
		return nil, auth, false
	}
	return msg[:n:n], [8]byte(msg[n+headerLen:]), true
}

// AppendAuthenticator appends the Authenticator attribute to a message's body.
func AppendAuthenticator(body []byte, auth [8]byte) []byte {
	return AppendAttribute(body, AttrAuthenticator, auth[:])
}
