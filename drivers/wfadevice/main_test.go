package wfadevice_test

import (
	"testing"

	"wpsd/drivers/controlpoint/controlpointtest"
)

func TestMain(m *testing.M) { controlpointtest.Main(m) }
