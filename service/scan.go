package service

import (
	"context"
	"fmt"

	"wpsd/engine/wsc"
	"wpsd/service/fence"
	"wpsd/service/state"
)

// Scan looks at all channels of an interface once and returns at once; events tell what was heard
// and, with ScanDone, the end. ErrBusy while a session or another scan runs there.
func (s *Service) Scan(_ context.Context, ifname string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.station(ifname)
	if err != nil {
		return err
	}
	if i.session != nil || i.cancelScan != nil {
		return fmt.Errorf("%w (%s)", state.ErrBusy, ifname)
	}
	ctx, cancel := context.WithCancel(s.life.ctx)
	own := wsc.MAC(i.HardwareAddr)
	if err := s.life.begin(s.log, func() { s.scan(ctx, i, own) }); err != nil {
		cancel()
		return err
	}
	i.cancelScan = cancel
	s.published.Publish(state.InterfaceChanged{Interface: i.snapshot()})
	return nil
}

func (s *Service) scan(ctx context.Context, i *iface, own wsc.MAC) {
	err := fence.Do(s.log, "a scan", func() error { return s.stations.Scan(ctx, s.asStation(i), own) })
	if err != nil && ctx.Err() == nil {
		s.log.Warn("scan failed", "interface", i.Name, "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i.cancelScan()
	i.cancelScan = nil
	s.restSoon()
	if s.interfaces[i.Name] == i {
		i.air.ScanDone(err == nil)
		s.published.Publish(state.InterfaceChanged{Interface: i.snapshot()})
	}
}
