package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wpsd/engine/wsc"
	"wpsd/service/ending"
	"wpsd/service/fence"
	"wpsd/service/lending"
	"wpsd/service/state"
)

// selectPatience is how long the reply to SELECT_NETWORK waits for a refusal. Connecting takes
// longer, and is told.
const selectPatience = 2 * time.Second

// selectNetwork is SELECT_NETWORK n: the network manager is to connect to it. wpa_supplicant's
// reply means that it will try; that it is connected is an event.
func (c *call) selectNetwork() string {
	id, err := parseID(c.args)
	if err != nil {
		return c.fail(err)
	}
	network, err := networkCall{c}.store(id)
	if err != nil {
		return c.fail(err)
	}
	if !c.server.beginSelect(c.ifname) {
		return c.fail(errors.New("the network manager is connecting already"))
	}
	done := make(chan error, 1)
	ctx := c.long
	c.server.tasks.Go(func() {
		defer c.server.endSelect(c.ifname)
		done <- fence.Do(c.server.log, "control: SELECT_NETWORK", func() error {
			return c.server.activate(ctx, c.ifname, id, network)
		})
	})
	select {
	case err := <-done:
		return c.done(err)
	case <-time.After(selectPatience):
		return replyOK
	}
}

// activate has the network manager connect, and tells how it went.
func (s *Server) activate(ctx context.Context, ifname string, id int,
	network state.NetworkID) error {
	err := s.svc.Managers().Activate(ctx, network,
		lending.ActivateRequest{Interface: ifname, Apply: s.options.Apply})
	if err != nil {
		if _, tried := errors.AsType[*ending.HandoverError](err); tried {
			s.log.Info("the network manager did not connect", "interface", ifname, "err", err)
			s.tell(line{ifname: ifname, level: levelInfo, text: "CTRL-EVENT-NETWORK-NOT-FOUND "})
		}
		return err
	}
	var bssid wsc.MAC
	if n, known := s.svc.Published().Network(network); known {
		bssid = n.BSSID
	}
	s.toldOf(ifname, bssid)
	s.tell(line{ifname: ifname, level: levelInfo, text: fmt.Sprintf(connectedText, bssid, id)})
	return nil
}

// beginSelect reports whether nothing is being connected on an interface yet; endSelect has to
// follow then.
func (s *Server) beginSelect(ifname string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.selecting[ifname] {
		return false
	}
	s.selecting[ifname] = true
	return true
}

func (s *Server) isSelecting(ifname string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.selecting[ifname]
}

func (s *Server) endSelect(ifname string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.selecting, ifname)
}
