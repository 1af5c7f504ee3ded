package state

// SessionID names a session. Ids are never used twice within a run of the daemon; 0 is none.
type SessionID uint32

// NetworkID names a stored network. It survives a restart of the daemon.
type NetworkID uint32
