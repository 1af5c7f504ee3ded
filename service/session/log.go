package session

import (
	"log/slog"
	"time"
)

// The messages of a session's two lines in the log. Whoever limits how much is logged leaves these
// alone: there are no more of them than calls that were allowed.
const (
	LogSessionStarted = "session started"
	LogSessionEnded   = "session ended"
)

// LogStart writes the first line of a session. What it reads never changes.
func (s *Running) LogStart() {
	s.table.log.Info(LogSessionStarted, "session", s.ID, "interface", s.Interface, "role",
		string(s.Role), "purpose", string(s.Purpose),
		"method", string(s.Method), "owner", s.Owner)
}

// logEnd writes the last line of a session. The caller holds the table's lock.
func (s *Running) logEnd(why error) {
	attrs := []any{
		"session", s.ID, "interface", s.Interface, "role", string(s.Role), "purpose",
		string(s.Purpose), "method", string(s.Method),
		"state", string(s.State), "duration", time.Since(s.Started).Round(time.Millisecond),
	}
	if !s.Peer.IsZero() {
		attrs = append(attrs, "peer", s.Peer.String())
	}
	if s.Detail.AccessPointsTried > 0 {
		attrs = append(attrs, "tried", s.Detail.AccessPointsTried)
	}
	if s.Reason != "" {
		attrs = append(attrs, "reason", string(s.Reason), "config_error", uint16(s.ConfigError),
			slog.Any("err", why))
	}
	s.table.log.Info(LogSessionEnded, attrs...)
}
