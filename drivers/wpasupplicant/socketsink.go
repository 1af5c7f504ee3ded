package wpasupplicant

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

var _ talk = (*process)(nil)

func (p *process) networks(ctx context.Context) (all []network, err error) {
	list, err := p.ask(ctx, "LIST_NETWORKS")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(list) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) < 4 {
			continue // the heading is "network id / ssid / bssid / flags"
		}
		n := network{id: fields[0], enabled: !strings.Contains(fields[3], "[DISABLED]"),
			have: map[string]string{}}
		for _, name := range configured {
			value, err := p.ask(ctx, "GET_NETWORK %s %s", n.id, name)
			if err != nil {
				return nil, err
			}
			if value != "FAIL" { // that is: it is not set
				n.have[name] = value
			}
		}
		all = append(all, n)
	}
	return all, nil
}

func (p *process) can(ctx context.Context) (a abilities, err error) {
	for name, list := range map[string]*[]string{"key_mgmt": &a.management, "pairwise": &a.pairwise,
		"group": &a.group, "group_mgmt": &a.groupManagement} {
		reply, err := p.ask(ctx, "GET_CAPABILITY %s", name)
		if err != nil {
			return abilities{}, err
		}
		*list = strings.Fields(strings.ToUpper(reply))
	}
	return a, nil
}

func (p *process) add(ctx context.Context, values []value) (string, error) {
	id, err := p.ask(ctx, "ADD_NETWORK")
	if err != nil {
		return "", err
	}
	if strings.Trim(id, "0123456789") != "" || id == "" {
		return "", fmt.Errorf("it adds no network: %.40q", id)
	}
	if err := p.change(ctx, id, values); err != nil {
		return "", errors.Join(err, p.remove(context.WithoutCancel(ctx), id))
	}
	return id, nil
}

// change writes settings into a block. What it sends may have the key, and is wiped.
func (p *process) change(ctx context.Context, id string, values []value) error {
	command := make([]byte, 0, 256) // so that it never moves, and leaves no copy behind
	defer func() { clear(command[:cap(command)]) }()
	for _, v := range values {
		command = fmt.Appendf(command[:0], "SET_NETWORK %s %s ", id, v.name)
		switch v.form {
		case octets:
			command = hex.AppendEncode(command, v.content())
		case quoted:
			command = append(append(append(command, '"'), v.content()...), '"')
		default:
			command = append(command, v.content()...)
		}
		reply, err := p.Request(ctx, command)
		if err != nil {
			return err
		}
		if string(reply) != "OK" {
			return fmt.Errorf("it refuses the network's %s: %.40q", v.name, reply)
		}
	}
	return nil
}

func (p *process) remove(ctx context.Context, id string) error {
	return p.must(ctx, "REMOVE_NETWORK "+id)
}

func (p *process) choose(ctx context.Context, id string) error {
	return p.must(ctx, "SELECT_NETWORK "+id)
}

func (p *process) enable(ctx context.Context, id string) error {
	return p.must(ctx, "ENABLE_NETWORK "+id)
}

func (p *process) current(ctx context.Context) (id string, connected bool, err error) {
	state, err := p.status(ctx, "wpa_state")
	if err != nil || state == stateDisconnected || state == stateInactive ||
		state == stateScanning {
		return "", false, err
	}
	id, err = p.status(ctx, "id")
	return id, state == stateCompleted, err
}

func (p *process) save(ctx context.Context) { _, _ = p.ask(ctx, "SAVE_CONFIG") }

// again connects anew: the reply to a command that nobody waited for would be taken for that to the
// next one.
func (p *process) again() error { return p.renew() }
