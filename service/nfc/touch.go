package nfc

import (
	"context"
	"encoding/binary"
	"fmt"

	"wpsd/service/state"
)

// NFCTouched takes what a user touched, a tag or another device, without saying what for: nobody is
// there to be asked. A network is stored and handed over; a device is let in at an access point of
// this machine, or by the External Registrar where one runs. The password of anything else is kept
// for Learn and Configure, as by NFCTagRead.
func (s *Exchange) NFCTouched(ctx context.Context, payload []byte) error {
	payload = withoutLength(payload)
	tag, err := parseTag(payload)
	if err != nil {
		return err
	}
	password := tag.Password != nil
	tag.Wipe()
	r := TagRequest{Payload: payload, Detach: true}
	if !password {
		_, err := s.NFCTagRead(ctx, r)
		return err
	}
	if r.Interface = s.hub.AccessPoint(); r.Interface == "" {
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
func (s *Exchange) NFCAnswer(ctx context.Context, request []byte) ([]byte, error) {
	ifname := s.hub.AccessPoint()
	if ifname == "" {
		return nil, fmt.Errorf("%w: this machine has no access point", state.ErrNotSupported)
	}
	answer, err := s.NFCHandoverSelect(ctx, ifname, FormatWPS, CarrierRecord)
	if err != nil {
		return nil, err
	}
	if _, err := s.NFCReportHandover(ctx, Handover{Interface: ifname, Request: request,
		Select: answer, Detach: true}); err != nil {
		return nil, err
	}
	return answer, nil
}
