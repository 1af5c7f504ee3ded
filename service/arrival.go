package service

import (
	"errors"
	"fmt"
	"slices"

	"wpsd/engine/credential"
	"wpsd/engine/wsc"
	"wpsd/service/ending"
	"wpsd/service/outcome"
	"wpsd/service/receive"
	"wpsd/service/session"
)

// arrival is what became of Credentials that came.
type arrival struct {
	processing Processing // as it is now
	stored     []NetworkID
	// what is wrong all the same: receive.ErrUseless, *notStoredError; nil: nothing
	err error
}

// receive takes what a session received, and tells of it. It wipes cs.
func (s *Service) receive(ses *session.Running, i *iface, cs []wsc.Credential, from receive.Origin) arrival {
	c, err := receive.Convert(cs, from.Own, s.saeOnly(i))
	if err != nil { // check let them pass
		s.log.Error("credentials that passed are refused now", "session", ses.ID, "err", err)
		return arrival{err: fmt.Errorf("%w: %w", receive.ErrUseless, err)}
	}
	return s.arrived(ses, c, from, nil)
}

// arrived is what happens to Credentials, whatever way they came: they are stored as far as they
// fit, told of, and offered to agents. ses is the session that received them, and owns c from now
// on; nil: there is none, and c stays the caller's. may is asked for each network before any is
// stored, and its error is all that happens then; nil: they may.
func (s *Service) arrived(ses *session.Running, c *receive.Credentials, from receive.Origin,
	may func(credential.Network) error) arrival {
	id := SessionID(0)
	if ses != nil {
		id = ses.ID
	}
	for _, l := range c.LeftOut {
		s.log.Warn("a credential was left out", "session", id, "source", from.Source, "ssid",
			outcome.LeftOut{SSID: l.SSID}.Name(), "err", l)
	}
	s.mu.Lock()
	a := arrival{processing: s.manager.Processing}
	s.mu.Unlock()
	if a.processing != ProcessingExternal {
		if err := s.keep(c, from, may); err != nil {
			return arrival{err: err}
		}
	}
	if c.NotStored != nil {
		s.log.Error("a network cannot be stored", "session", id, "source", from.Source, "err",
			c.NotStored)
	}
	a.err = s.whatIsWrong(c, a.processing)
	if a.processing != ProcessingInternal {
		s.agents.Offer(id, credential.CloneAll(c.Received))
	}
	a.stored = s.announce(c.Stored)
	if ses != nil {
		ses.Keep(c.Networks, c.Received, func(told *Session) {
			told.Detail.Credentials, told.Detail.NotStored = len(c.Networks), c.NotStored != nil
			told.Detail.LeftOut = ending.LeftOut(c.LeftOut)
			told.Networks = append(told.Networks, a.stored...)
		})
	}
	return a
}

// keep stores what arrived, if it may: nothing else is stored between the question and the act.
func (s *Service) keep(c *receive.Credentials, from receive.Origin,
	may func(credential.Network) error) error {
	s.storing.Lock()
	defer s.storing.Unlock()
	for _, n := range c.Networks {
		if may == nil {
			break
		}
		if err := may(n); err != nil {
			return err
		}
	}
	c.Store(s.store, from)
	return nil
}

// whatIsWrong says what keeps an arrival from being a success.
func (s *Service) whatIsWrong(c *receive.Credentials, processing Processing) error {
	switch {
	case c.NotStored != nil:
		return &ending.NotStoredError{Err: c.NotStored}
	case len(c.Networks) > 0:
		return nil
	case processing == ProcessingExternal && len(c.Received) > 0:
		return nil // the agent may know what to do with it
	}
	why := make([]error, len(c.LeftOut))
	for i, l := range c.LeftOut {
		why[i] = l
	}
	return fmt.Errorf("%w: %w", receive.ErrUseless, errors.Join(why...))
}

// announce tells of networks that were stored, and returns which these are.
func (s *Service) announce(stored []receive.Stored) []NetworkID {
	var ids []NetworkID
	for _, n := range stored {
		told := networkOf(n.Network)
		s.published.AddNetwork(told)
		for _, id := range n.Removed {
			s.published.RemoveNetwork(NetworkID(id))
		}
		if !slices.Contains(ids, told.ID) { // two Credentials for one name
			ids = append(ids, told.ID)
		}
	}
	return ids
}
