package wpasupplicant

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus"
	"wpsd/engine/credential"
)

// deliver is Deliver over the control socket: the same steps, in the words of wpa_cli.
func (p *process) deliver(ctx context.Context, n credential.Network) error {
	others, chosen, err := p.networks(ctx, n)
	if err != nil {
		return err
	}
	added := chosen == ""
	if added {
		if chosen, err = p.ask(ctx, "ADD_NETWORK"); err != nil {
			return err
		}
		if strings.Trim(chosen, "0123456789") != "" || chosen == "" {
			return fmt.Errorf("it adds no network: %.40q", chosen)
		}
	}
	if err = p.set(ctx, chosen, n); err == nil {
		err = p.connect(ctx, chosen)
	}
	tidy := context.WithoutCancel(ctx)
	if ctx.Err() != nil {
		if dialErr := p.renew(); dialErr != nil {
			return errors.Join(err, dialErr)
		}
	}
	if err != nil && added {
		err = errors.Join(err, p.must(tidy, "REMOVE_NETWORK "+chosen))
	}
	for _, id := range others {
		if id != chosen {
			err = errors.Join(err, p.must(tidy, "ENABLE_NETWORK "+id))
		}
	}
	if err != nil {
		return err
	}
	// It saves only if its configuration file says so (update_config=1), and that is its owner's decision.
	_, _ = p.ask(ctx, "SAVE_CONFIG")
	return nil
}

// networks lists those that are enabled, and which of all is for this name with the same kind of security; "": none.
func (p *process) networks(ctx context.Context, n credential.Network) (enabled []string, same string, err error) {
	err = p.each(ctx, func(c configured) error {
		if c.enabled {
			enabled = append(enabled, c.id)
		}
		if same == "" && fits(c.values, n) {
			same = c.id
		}
		return nil
	})
	return enabled, same, err
}

// configured is a network block, with the values that tell what it is for.
type configured struct {
	id      string
	enabled bool
	values  map[string]godbus.Variant
}

// each looks at all network blocks, until look returns an error.
func (p *process) each(ctx context.Context, look func(configured) error) error {
	list, err := p.ask(ctx, "LIST_NETWORKS")
	if err != nil {
		return err
	}
	for line := range strings.Lines(list) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) < 4 {
			continue // the heading is "network id / ssid / bssid / flags"
		}
		c := configured{fields[0], !strings.Contains(fields[3], "[DISABLED]"), map[string]godbus.Variant{}}
		for _, name := range []string{"ssid", "mode", "key_mgmt"} {
			value, err := p.ask(ctx, "GET_NETWORK %s %s", c.id, name)
			if err != nil {
				return err
			}
			c.values[name] = godbus.MakeVariant(value)
		}
		if err := look(c); err != nil {
			return err
		}
	}
	return nil
}

// set writes the network into a block. What it sends has the key, and is wiped.
func (p *process) set(ctx context.Context, id string, n credential.Network) error {
	values := [][2]string{{"ssid", hex.EncodeToString(n.SSID)}}
	quote := ""
	switch n.KeyKind {
	case credential.KeyNone:
		values = append(values, [2]string{"key_mgmt", "NONE"})
	case credential.KeyRawPSK: // no password: SAE has no use for it
		values = append(values, [2]string{"key_mgmt", "WPA-PSK"})
	default:
		quote = `"`
		can, err := p.ask(ctx, "GET_CAPABILITY key_mgmt")
		if err != nil {
			return err
		}
		management := "WPA-PSK WPA-PSK-SHA256"
		if slices.Contains(strings.Fields(can), "SAE") {
			management += " SAE"
		}
		values = append(values, [2]string{"key_mgmt", management}, [2]string{"ieee80211w", "1"})
	}
	for _, v := range values {
		if err := p.must(ctx, fmt.Sprintf("SET_NETWORK %s %s %s", id, v[0], v[1])); err != nil {
			return err
		}
	}
	if n.KeyKind == credential.KeyNone {
		return nil
	}
	command := make([]byte, 0, 256) // so that it never moves, and leaves no copy behind
	command = fmt.Appendf(command, "SET_NETWORK %s psk %s", id, quote)
	command = append(append(command, n.Key.Bytes()...), quote...)
	defer clear(command)
	reply, err := p.Request(ctx, command)
	if err == nil && string(reply) != "OK" {
		err = errors.New("it refuses the key")
	}
	return err
}

// connect selects a network and waits until it is in it.
func (p *process) connect(ctx context.Context, id string) error {
	if err := p.must(ctx, "SELECT_NETWORK "+id); err != nil {
		return err
	}
	err := managerbus.Until(ctx, func() (bool, error) {
		state, err := p.status(ctx, "wpa_state")
		if err != nil || state != stateCompleted {
			return false, err
		}
		current, err := p.status(ctx, "id")
		return current == id, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return ErrFailed
	}
	return err
}
