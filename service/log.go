package service

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

// logStart writes the first line of a session. It may be called without mu: what it reads never
// changes.
func (s *Service) logStart(ses *session) {
	s.log.Info(LogSessionStarted, "session", ses.ID, "interface", ses.Interface, "role",
		string(ses.Role), "purpose", string(ses.Purpose),
		"method", string(ses.Method), "owner", ses.Owner)
}

// logEnd writes the last line of a session. The caller holds mu.
func (s *Service) logEnd(ses *session, why error) {
	attrs := []any{
		"session", ses.ID, "interface", ses.Interface, "role", string(ses.Role), "purpose",
		string(ses.Purpose), "method", string(ses.Method),
		"state", string(ses.State), "duration", time.Since(ses.Started).Round(time.Millisecond),
	}
	if !ses.Peer.IsZero() {
		attrs = append(attrs, "peer", ses.Peer.String())
	}
	if ses.Detail.AccessPointsTried > 0 {
		attrs = append(attrs, "tried", ses.Detail.AccessPointsTried)
	}
	if ses.Reason != "" {
		attrs = append(attrs, "reason", string(ses.Reason), "config_error", uint16(ses.ConfigError),
			slog.Any("err", why))
	}
	s.log.Info(LogSessionEnded, attrs...)
}
