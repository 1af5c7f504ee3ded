package dbus

import (
	"context"
	"os"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/service/agents"
)

// TestRealAgent: our bus policy lets our calls to an agent pass, and nobody else's.
func TestRealAgent(t *testing.T) {
	t.Parallel()
	address := realBus(t)
	svc := serveReal(t, address)
	conn, err := godbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	p := &program{}
	if err := conn.Export(p, agentPath, agentIface); err != nil {
		t.Fatal(err)
	}
	if err := conn.Object(BusName, rootPath).Call(registerMethod, 0, agentPath).Err; err != nil {
		t.Fatal(err)
	}
	take := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		return svc.lastAgent().Take(ctx, agents.Delivery{Session: 1, Network: homeNetwork()})
	}
	if err := take(); err != nil || len(p.raw) != 1 || string(p.raw[0]) != rawKey {
		t.Errorf("%v, it got %d", err, len(p.raw))
	}
	if os.Geteuid() == 0 {
		out, err := tool(t, address, nobody, "busctl", "--system", "call", conn.Names()[0],
			string(agentPath), agentIface,
			"CredentialReceived", "oa{sv}ay", "/x", "0", "0")
		if err == nil {
			t.Errorf("nobody may call it: %s", out)
		}
	}
	if err := conn.Export(nil, agentPath, agentIface); err != nil {
		t.Fatal(err)
	}
	if err := take(); err == nil {
		t.Error("an object that is not there took it")
	}
	_ = conn.Close()
	if err := take(); err == nil || len(p.raw) != 1 {
		t.Error("a connection that is gone took it")
	}
}
