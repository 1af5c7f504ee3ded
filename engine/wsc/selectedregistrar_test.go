package wsc

import "testing"

func TestASelectedRegistrarThatSaysNothing(t *testing.T) {
	t.Parallel()
	s, err := ParseSelectedRegistrar([]byte{0x10, 0x4a, 0, 1, 0x10})
	if err != nil || s.Selected || s.DevicePasswordID != PasswordIDDefault ||
		s.ConfigMethods != 0xFFFF || !s.Authorizes(testStationMAC) {
		t.Errorf("%+v, %v: is not what an access point makes of it", s, err)
	}
}

func TestASelectedRegistrarAuthorizesWhomItNames(t *testing.T) {
	t.Parallel()
	s, err := ParseSelectedRegistrar(load(t, "selected-registrar"))
	if err != nil || !s.Authorizes(testStationMAC) || s.Authorizes(testAPMAC) {
		t.Errorf("%+v, %v: does not authorize just %v", s, err, testStationMAC)
	}
}
