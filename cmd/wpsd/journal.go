package main

import (
	"context"
	"encoding"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wpsd/service/session"

	"github.com/coreos/go-systemd/v22/journal"
)

// messageIDs let programs find the two lines of a session: journalctl MESSAGE_ID=….
var messageIDs = map[string]string{
	session.LogSessionStarted: "1f0c4a2de5b84d0f9a6b7c5ce3f2a917",
	session.LogSessionEnded:   "8b1a5d6e47f34c0e8d92f0b6a4c7d359",
}

// journalHandler is a slog.Handler for systemd's journal. Each attribute becomes a field, session
// WPSD_SESSION; the message has all of them as text, too, since that is all that journalctl shows.
type journalHandler struct {
	level     slog.Leveler
	send      func(message string, p journal.Priority, fields map[string]string) error
	otherwise slog.Handler // gets what the journal did not take
	group     string       // with a dot behind it
	fields    []field      // of loggers that were made with some
}

// field is an attribute as text; in a group its key has the group's name and a dot in front.
type field struct{ key, value string }

// Enabled implements slog.Handler.
func (h *journalHandler) Enabled(_ context.Context, l slog.Level) bool {
	return l >= h.level.Level()
}

// Handle implements slog.Handler.
func (h *journalHandler) Handle(ctx context.Context, r slog.Record) error {
	fields := slices.Clone(h.fields)
	r.Attrs(func(a slog.Attr) bool {
		fields = appendField(fields, h.group, a)
		return true
	})
	vars := map[string]string{"SYSLOG_IDENTIFIER": "wpsd"}
	if id := messageIDs[r.Message]; id != "" {
		vars["MESSAGE_ID"] = id
	}
	var text strings.Builder
	text.WriteString(r.Message)
	for _, f := range fields {
		vars[fieldName(f.key)] = f.value
		text.WriteString(" " + f.key + "=" + quoteField(f.value))
	}
	if err := h.send(text.String(), priority(r.Level), vars); err != nil {
		return h.otherwise.Handle(ctx, r)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (h *journalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.fields = slices.Clone(h.fields)
	for _, a := range attrs {
		with.fields = appendField(with.fields, h.group, a)
	}
	with.otherwise = h.otherwise.WithAttrs(attrs)
	return &with
}

// WithGroup implements slog.Handler.
func (h *journalHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.group += name + "."
	with.otherwise = h.otherwise.WithGroup(name)
	return &with
}

// appendField turns an attribute into fields: none for an empty one, more for a group.
func appendField(fields []field, group string, a slog.Attr) []field {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, inner := range v.Group() {
			fields = appendField(fields, group, inner)
		}
		return fields
	}
	if a.Equal(slog.Attr{}) {
		return fields
	}
	return append(fields, field{group + a.Key, fieldText(v)})
}

// fieldText is a value as text, as slog's own TextHandler has it.
func fieldText(v slog.Value) string {
	if v.Kind() == slog.KindTime {
		return v.Time().Format(time.RFC3339Nano)
	}
	if v.Kind() != slog.KindAny {
		return v.String()
	}
	if m, ok := v.Any().(encoding.TextMarshaler); ok {
		if text, err := m.MarshalText(); err == nil {
			return string(text)
		}
	}
	return fmt.Sprintf("%+v", v.Any())
}

// quoteField puts quotes around what would not be seen to be one value, and escapes what could fool
// a terminal.
func quoteField(s string) string {
	odd := func(r rune) bool {
		return r == ' ' || r == '"' || r == '=' || r == utf8.RuneError || !unicode.IsPrint(r)
	}
	if s == "" || strings.ContainsFunc(s, odd) {
		return strconv.Quote(s)
	}
	return s
}

// fieldName makes a name that the journal takes: capital letters, digits, underscores, at most 64.
func fieldName(key string) string {
	name := "WPSD_" + strings.Map(func(r rune) rune {
		switch r = unicode.ToUpper(r); {
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, key)
	return name[:min(len(name), 64)]
}

// priority is a level as syslog(3) has it.
func priority(l slog.Level) journal.Priority {
	switch {
	case l >= slog.LevelError:
		return journal.PriErr
	case l >= slog.LevelWarn:
		return journal.PriWarning
	case l >= slog.LevelInfo:
		return journal.PriInfo
	}
	return journal.PriDebug
}
