package service

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"wpsd/drivers"
)

// NFCTouched takes what a user touched, a tag or another device, without saying what for: nobody is
// there to be asked. A network is stored and handed over; a device is let in at an access point of
// this machine, or by the External Registrar where one runs. The password of anything else is kept
// for Learn and Configure, as by NFCTagRead.
func (s *Service) NFCTouched(ctx context.Context, payload []byte) error {
	payload = withoutLength(payload)
	tag, err := parseTag(payload)
	if err != nil {
		return err
	}
	password := tag.Password != nil
	tag.Wipe()
	r := NFCTagRequest{Payload: payload, Detach: true}
	if !password {
		_, err := s.NFCTagRead(ctx, r)
		return err
	}
	if r.Interface = s.hotspot(); r.Interface == "" {
		if r.Interface = s.registrars.First(); r.Interface != "" {
			_, err := s.ERNFCTagRead(ctx, r)
			return err
		}
	}
	_, err = s.NFCTagRead(ctx, r)
	return err
}

// withoutLength takes off what a carrier has in front of its attributes and a tag has not.
func withoutLength(b []byte) []byte {
	if len(b) >= 2 && b[0] == 0 && int(binary.BigEndian.Uint16(b)) == len(b)-2 {
		return b[2:]
	}
	return b
}

// NFCAnswer answers a handover request for the first access point of this machine, and lets the
// other device in.
func (s *Service) NFCAnswer(ctx context.Context, request []byte) ([]byte, error) {
	ifname := s.hotspot()
	if ifname == "" {
		return nil, fmt.Errorf("%w: this machine has no access point", ErrNotSupported)
	}
	answer, err := s.NFCHandoverSelect(ctx, ifname, NFCFormatWPS, NFCCarrierRecord)
	if err != nil {
		return nil, err
	}
	if _, err := s.NFCReportHandover(ctx, NFCHandover{Interface: ifname, Request: request,
		Select: answer, Detach: true}); err != nil {
		return nil, err
	}
	return answer, nil
}

// hotspot is the first interface that is an access point which somebody steers; empty: there is
// none.
func (s *Service) hotspot() string {
	return s.firstInterface(func(i *iface) bool {
		return i.Mode == drivers.ModeAP && i.steering != nil
	})
}

func (s *Service) firstInterface(fits func(*iface) bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.interfaces)) {
		if fits(s.interfaces[name]) {
			return name
		}
	}
	return ""
}
