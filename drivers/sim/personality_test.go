package sim

import (
	"testing"
	"time"

	"wpsd/engine"
	"wpsd/engine/devpass"
	"wpsd/engine/enginetest"
	"wpsd/engine/registration"
	"wpsd/engine/wsc"
)

func TestM2DForeverIsAMachine(t *testing.T) {
	t.Parallel()
	frames := enrolleeFrames(t)
	enginetest.TestMachine(t, func(*testing.T) engine.Machine {
		return &m2dForever{device: wsc.Device{UUID: wsc.UUID{1}, Version2: wsc.Version20}}
	}, frames)
}

func TestTapIsAMachine(t *testing.T) {
	t.Parallel()
	frames := enrolleeFrames(t)
	enginetest.TestMachine(t, func(t *testing.T) engine.Machine {
		m, err := registration.NewRegistrar(registration.RegistrarConfig{
			Device: wsc.Device{UUID: wsc.UUID{1}, Version2: wsc.Version20},
			Password: func(time.Time, wsc.Device, wsc.DevicePasswordID) (devpass.Password, bool) {
				return devpass.PushButton(), true
			},
			Give: []wsc.Credential{{SSID: []byte("x"), AuthType: wsc.AuthOpen,
				EncrType: wsc.EncrNone}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return &tap{inner: m, quirks: Personality{}}
	}, frames)
}

// enrolleeFrames are an M1 and a WSC_ACK to the M2D that answers it.
func enrolleeFrames(t *testing.T) [][]byte {
	t.Helper()
	e, err := registration.NewEnrollee(registration.EnrolleeConfig{
		Device:   wsc.Device{UUID: wsc.UUID{2}, MAC: wsc.MAC{2}, Version2: wsc.Version20},
		Password: devpass.PushButton(),
	})
	if err != nil {
		t.Fatal(err)
	}
	m1 := e.Start(enginetest.Epoch).Send[0]
	m := &m2dForever{}
	m.Start(enginetest.Epoch)
	m2d := m.Handle(enginetest.Epoch, m1).Send[0]
	return [][]byte{m1, e.Handle(enginetest.Epoch, m2d).Send[0]}
}
