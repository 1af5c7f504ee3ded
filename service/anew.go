package service

// giveWay ends the session that runs on an interface for another one, if it may: a hand-over goes
// on without it, everything else only if that was asked for. The caller holds Service.mu.
func (i *iface) giveWay(anew bool) error {
	if i.session == nil {
		return nil
	}
	return i.session.GiveWay(anew)
}
