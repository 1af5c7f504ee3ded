package control

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/session"
	"wpsd/service/state"
)

// maxDrafts bounds the networks that were added and not yet stored.
const maxDrafts = 64

// networks numbers the stored networks as wpa_supplicant does, from 0 in their order, a new one
// after the last; and it keeps those that somebody is writing with SET_NETWORK. Such a draft is
// stored when it is needed: when it is enabled, saved or used. It is safe for concurrent use.
type networks struct {
	mu       sync.Mutex
	list     []*network // by id
	priority int        // of networks that are received from now on
}

// network is one row of LIST_NETWORKS.
type network struct {
	id       int
	priority int
	stored   state.NetworkID // 0: not stored yet
	draft    *draft          // what was set since; nil: nothing
}

// draft is a network that is being written.
type draft struct {
	ssid     []byte
	auth     wsc.AuthType
	encr     wsc.EncrType
	key      secret.Value
	bssid    wsc.MAC
	disabled bool
}

func newNetworks() *networks { return &networks{} }

// favor says which priority networks have that are received from now on.
func (n *networks) favor(priority int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.priority = priority
}

func (n *networks) favored() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.priority
}

// reset takes the stored networks over, and keeps the numbers that they have. It looks while no
// command stores one: an older list would lack that, and take its number away.
func (n *networks) reset(look func() state.Snapshot) {
	n.mu.Lock()
	defer n.mu.Unlock()
	snap := look()
	there := make(map[state.NetworkID]bool)
	for _, s := range snap.Networks {
		there[s.ID] = true
	}
	n.list = slices.DeleteFunc(n.list, func(e *network) bool {
		return e.stored != 0 && !there[e.stored]
	})
	for _, s := range snap.Networks {
		n.add(s.ID)
	}
}

// heard takes in that a network was stored or is gone, and gives what to tell of it; "" is nothing
// new. there says whether a network is stored now: events come later than what they tell, and a
// draft may have replaced it since.
func (n *networks) heard(e state.Event, there func(state.NetworkID) bool) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch e := e.(type) {
	case state.NetworkAdded:
		if !there(e.Network.ID) {
			return ""
		}
		before := len(n.list)
		if m := n.add(e.Network.ID); len(n.list) > before {
			if e.Network.Source != "added" {
				m.priority = n.priority
			}
			return fmt.Sprintf("CTRL-EVENT-NETWORK-ADDED %d", m.id)
		}
	case state.NetworkRemoved:
		at := slices.IndexFunc(n.list, func(m *network) bool {
			return m.stored == e.ID && m.draft == nil
		})
		if at >= 0 {
			id := n.list[at].id
			n.list = slices.Delete(n.list, at, at+1)
			return fmt.Sprintf("CTRL-EVENT-NETWORK-REMOVED %d", id)
		}
	default:
	}
	return ""
}

// add gives a stored network a number, if it has none. The caller holds mu.
func (n *networks) add(id state.NetworkID) *network {
	for _, e := range n.list {
		if e.stored == id {
			return e
		}
	}
	e := &network{id: n.next(), stored: id}
	n.list = append(n.list, e)
	return e
}

func (n *networks) next() int {
	if len(n.list) == 0 {
		return 0
	}
	return n.list[len(n.list)-1].id + 1
}

// number is that of a stored network; -1: it has none.
func (n *networks) number(id state.NetworkID) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.list {
		if e.stored == id {
			return e.id
		}
	}
	return -1
}

// find returns the network with a number. The caller holds mu.
func (n *networks) find(id int) *network {
	for _, e := range n.list {
		if e.id == id {
			return e
		}
	}
	return nil
}

// errNoNetwork is for a number that no network has.
var errNoNetwork = errors.New("no network has this id: see LIST_NETWORKS")

// parseID reads the number of a network.
func parseID(text string) (int, error) {
	if text == "" || strings.Trim(text, "0123456789") != "" || len(text) > 9 {
		return 0, errSyntax
	}
	return atoi(text), nil
}

// listNetworks is LIST_NETWORKS [LAST_ID=n]: as many as fit, after n.
func (c networkCall) listNetworks() string {
	last := -1
	if c.args != "" {
		text, ok := strings.CutPrefix(c.args, "LAST_ID=")
		if !ok {
			return c.fail(errSyntax)
		}
		last = atoi(text)
	}
	snap := c.svc().Published().Snapshot()
	n := c.server.networks
	n.mu.Lock()
	defer n.mu.Unlock()
	out := page{text: "network id / ssid / bssid / flags\n"}
	for _, e := range n.list {
		var ssid []byte
		flags, bssid := "", wsc.MAC{}
		switch at := slices.IndexFunc(snap.Networks, func(s state.Network) bool {
			return s.ID == e.stored
		}); {
		case e.draft != nil:
			ssid, bssid = e.draft.ssid, e.draft.bssid
			if e.draft.disabled {
				flags = "[DISABLED]"
			}
		case at >= 0:
			ssid = snap.Networks[at].SSID
		default:
			continue // just removed
		}
		where := "any"
		if !bssid.IsZero() {
			where = bssid.String()
		}
		if e.id > last && !out.add(fmt.Sprintf("%d\t%s\t%s\t%s\n", e.id, quoteSSID(ssid),
			where, flags)) {
			break
		}
	}
	return out.text
}

// addNetwork is ADD_NETWORK: a draft, disabled, with a number.
func (c networkCall) addNetwork() string {
	n := c.server.networks
	n.mu.Lock()
	drafts := 0
	for _, e := range n.list {
		if e.draft != nil {
			drafts++
		}
	}
	if drafts >= maxDrafts {
		n.mu.Unlock()
		return c.fail(errors.New("there are 64 networks already that were added and not saved: save or remove some"))
	}
	e := &network{id: n.next(),
		draft: &draft{auth: wsc.AuthWPA2PSK, encr: wsc.EncrAES, disabled: true}}
	n.list = append(n.list, e)
	n.mu.Unlock()
	c.server.tell(line{ifname: c.ifname, level: levelInfo,
		text: fmt.Sprintf("CTRL-EVENT-NETWORK-ADDED %d", e.id)})
	return fmt.Sprintf("%d\n", e.id)
}

// removeNetwork is REMOVE_NETWORK n|all.
func (c networkCall) removeNetwork() string {
	n := c.server.networks
	var ids []int
	if c.args == "all" {
		n.mu.Lock()
		for _, e := range n.list {
			ids = append(ids, e.id)
		}
		n.mu.Unlock()
	} else {
		id, err := parseID(c.args)
		if err != nil {
			return c.fail(err)
		}
		ids = []int{id}
	}
	for _, id := range ids {
		if err := c.removeOne(id); err != nil {
			return c.fail(err)
		}
	}
	return replyOK
}

func (c networkCall) removeOne(id int) error {
	n := c.server.networks
	n.mu.Lock()
	e := n.find(id)
	if e == nil {
		n.mu.Unlock()
		return errNoNetwork
	}
	stored := e.stored
	if e.draft != nil {
		e.draft.key.Wipe()
		e.draft = nil
	}
	if stored == 0 {
		n.list = slices.DeleteFunc(n.list, func(m *network) bool { return m == e })
	}
	n.mu.Unlock()
	if stored == 0 {
		c.server.tell(line{ifname: c.ifname, level: levelInfo,
			text: fmt.Sprintf("CTRL-EVENT-NETWORK-REMOVED %d", id)})
		return nil
	}
	err := c.svc().DeleteNetwork(c.ctx, stored)
	if errors.Is(err, state.ErrNoNetwork) {
		err = nil // somebody else was quicker
	}
	return err
}

// edit gives the draft of a network, made of the stored one if need be. The caller holds
// networks.mu.
func (c networkCall) edit(e *network) (*draft, error) {
	if e.draft != nil {
		return e.draft, nil
	}
	kept, err := c.svc().NetworkSecrets(e.stored)
	if err != nil {
		return nil, err
	}
	kept.Raw.Wipe()
	e.draft = &draft{ssid: bytes.Clone(kept.SSID), auth: kept.Auth, encr: kept.Encryption,
		key: kept.Key}
	return e.draft, nil
}

// setNetwork is SET_NETWORK n VARIABLE VALUE.
func (c networkCall) setNetwork() string {
	number, rest, _ := strings.Cut(c.args, " ")
	variable, value, ok := strings.Cut(rest, " ")
	id, err := parseID(number)
	if err != nil || !ok {
		return c.fail(errSyntax)
	}
	n := c.server.networks
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.find(id)
	if e == nil {
		return c.fail(errNoNetwork)
	}
	d, err := c.edit(e)
	switch {
	case err != nil:
	case variable == "psk":
		key := c.take(value)
		defer key.Wipe()
		err = d.setKey(key)
	default:
		err = d.set(variable, value)
	}
	return c.done(err)
}

// settings is what a draft says, if that is a network. Its key is a copy.
func (d *draft) settings() (session.Settings, error) {
	s := session.Settings{SSID: d.ssid, Auth: d.auth, Encryption: d.encr}
	if d.auth == wsc.AuthOpen {
		s.Encryption = wsc.EncrNone
		return s, nil
	}
	if d.key.IsZero() {
		return s, errors.New("the network has no psk yet: set it, or key_mgmt NONE")
	}
	s.Key = d.key.Clone()
	return s, nil
}

// store writes a draft to the store; what is stored already stays. It returns the network's id
// there.
func (c networkCall) store(id int) (state.NetworkID, error) {
	n := c.server.networks
	var gone []int
	stored, err := func() (stored state.NetworkID, err error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		stored, gone, err = c.storeLocked(n, id)
		return stored, err
	}()
	for _, other := range gone {
		c.server.tellRadios(line{level: levelInfo,
			text: fmt.Sprintf("CTRL-EVENT-NETWORK-REMOVED %d", other)})
	}
	return stored, err
}

// storeLocked is store for who holds n.mu. gone are the numbers of what became one with it: wpsd
// has one network of a name, where a script that begins with ADD_NETWORK would add it once more
// each time.
func (c networkCall) storeLocked(n *networks, id int) (stored state.NetworkID, gone []int,
	err error) {
	e := n.find(id)
	switch {
	case e == nil:
		return 0, nil, errNoNetwork
	case e.draft == nil:
		return e.stored, nil, nil
	}
	settings, err := e.draft.settings()
	if err != nil {
		return 0, nil, err
	}
	defer settings.Key.Wipe()
	added, err := c.svc().AddNetwork(c.ctx, settings, e.draft.bssid)
	if err != nil {
		return 0, nil, err
	}
	n.list = slices.DeleteFunc(n.list, func(m *network) bool {
		same := m != e && m.stored == added.ID && m.draft == nil
		if same {
			gone = append(gone, m.id)
		}
		return same
	})
	before := e.stored
	e.draft.key.Wipe()
	e.stored, e.draft = added.ID, nil // NetworkAdded finds it here, and gives no new number
	if before != 0 && before != added.ID {
		if err := c.svc().DeleteNetwork(c.ctx, before); err != nil &&
			!errors.Is(err, state.ErrNoNetwork) {
			return 0, gone, err
		}
	}
	return added.ID, gone, nil
}

// enableNetwork is ENABLE_NETWORK n|all: the network is stored. wpsd connects to none.
func (c networkCall) enableNetwork() string {
	text, _, _ := strings.Cut(c.args, " ") // "no-connect" may follow
	if text == "all" {
		return c.saveConfig()
	}
	id, err := parseID(text)
	if err == nil {
		_, err = c.store(id)
	}
	return c.done(err)
}

// disableNetwork is DISABLE_NETWORK n: of one that is not stored yet. A stored one is the network
// manager's to use or to leave.
func (c networkCall) disableNetwork() string {
	id, err := parseID(c.args)
	if err != nil {
		return c.fail(err)
	}
	n := c.server.networks
	n.mu.Lock()
	defer n.mu.Unlock()
	switch e := n.find(id); {
	case e == nil:
		return c.fail(errNoNetwork)
	case e.draft == nil:
		return c.fail(errors.New("a stored network is the network manager's to use or to leave: remove it, or tell that one"))
	default:
		e.draft.disabled = true
	}
	return replyOK
}

// saveConfig is SAVE_CONFIG: all drafts that are networks are stored.
func (c networkCall) saveConfig() string {
	if c.server.options.Forget && c.name == "SAVE_CONFIG" {
		return c.fail(errors.New("update_config=0: nothing is saved"))
	}
	n := c.server.networks
	n.mu.Lock()
	var ids []int
	for _, e := range n.list {
		if e.draft != nil {
			ids = append(ids, e.id)
		}
	}
	n.mu.Unlock()
	for _, id := range ids {
		if _, err := c.store(id); err != nil {
			return c.fail(err)
		}
	}
	return replyOK
}

// getNetwork is GET_NETWORK n VARIABLE. Keys are never told: a key that is there is "*", as with
// wpa_supplicant.
func (c networkCall) getNetwork() string {
	number, variable, ok := strings.Cut(c.args, " ")
	id, err := parseID(number)
	if err != nil || !ok {
		return c.fail(errSyntax)
	}
	n := c.server.networks
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.find(id)
	if e == nil {
		return c.fail(errNoNetwork)
	}
	if variable == "priority" {
		return strconv.Itoa(e.priority)
	}
	d := e.draft
	if d == nil {
		s, known := c.svc().Published().Network(e.stored)
		if !known {
			return c.fail(errNoNetwork)
		}
		d = &draft{ssid: s.SSID, auth: s.Auth, encr: s.Encryption}
		if s.KeyKind != credential.KeyNone {
			d.key = secret.FromString("*") // that there is one is all that is asked
		}
	}
	if text := d.get(variable); text != "" {
		return text
	}
	return replyFail
}

// parseValue reads a string as a configuration file has it: in double quotes, or in hex.
func parseValue(text string) ([]byte, error) {
	if strings.HasPrefix(text, `"`) {
		end := strings.LastIndexByte(text, '"')
		if end == 0 || end != len(text)-1 {
			return nil, errSyntax
		}
		return []byte(text[1:end]), nil
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return nil, errSyntax
	}
	return b, nil
}
