package control

import (
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// nobody is the id of no user and no group.
const nobody = -1

// Place says where the sockets of interfaces are and whose they are. The zero Place has none.
type Place struct {
	Dir string
	// Owner and Group of the directory and the sockets: names or numbers; empty: those of the
	// process.
	Owner, Group string
	// ReadGroup may look (status, scan results, events without keys) and change nothing.
	ReadGroup string
	// Mode of the sockets; 0: 0770, as wpa_supplicant has it.
	Mode fs.FileMode
}

// ParsePlace reads the value of ctrl_interface: a directory, or "DIR=/run/wpsd/control
// GROUP=netdev" as in wpa_supplicant.conf, where wpsd knows OWNER, MODE and READ_GROUP besides.
func ParsePlace(value string) (Place, error) {
	if !strings.HasPrefix(value, "DIR=") {
		return Place{Dir: value}.checked()
	}
	var p Place
	for word := range strings.FieldsSeq(value) {
		key, text, _ := strings.Cut(word, "=")
		if text == "" {
			return Place{}, fmt.Errorf("%.40q says nothing: write it as KEY=VALUE", word)
		}
		switch key {
		case "DIR":
			p.Dir = text
		case "OWNER":
			p.Owner = text
		case "GROUP":
			p.Group = text
		case "READ_GROUP":
			p.ReadGroup = text
		case "MODE":
			mode, err := strconv.ParseUint(text, 8, 32)
			if err != nil || mode == 0 || mode > 0o777 {
				return Place{}, fmt.Errorf("MODE=%.40q is not a mode such as 0770", text)
			}
			p.Mode = fs.FileMode(mode)
		default:
			return Place{}, fmt.Errorf("%.40q: there are DIR, OWNER, GROUP, MODE and READ_GROUP", key)
		}
	}
	return p.checked()
}

// checked refuses what cannot be a directory of sockets here.
func (p Place) checked() (Place, error) {
	switch {
	case strings.HasPrefix(p.Dir, "@"):
		return Place{}, errors.New("abstract addresses have no permissions, anybody could connect: name a directory such as /run/wpsd/control")
	case strings.HasPrefix(p.Dir, "udp"):
		return Place{}, errors.New("UDP has no permissions, any program could connect: name a directory such as /run/wpsd/control")
	case !filepath.IsAbs(p.Dir) || strings.ContainsFunc(p.Dir, unicode.IsControl):
		return Place{}, fmt.Errorf("%.80q is not a directory such as /run/wpsd/control", p.Dir)
	case len(p.Dir) > maxPath-1-maxName:
		return Place{}, fmt.Errorf("the path of a socket may have %d bytes, with the interface's name: choose a shorter directory", maxPath)
	}
	p.Dir = filepath.Clean(p.Dir)
	return p, nil
}

const (
	maxPath = 107 // of a Unix socket's address, without the final zero
	maxName = 15  // of a network interface
)

// ids are a Place's names as numbers.
type ids struct{ owner, group, readGroup int }

func (p Place) lookUp() (ids, error) {
	n := ids{nobody, nobody, nobody}
	var err error
	if n.owner, err = number(p.Owner, func(name string) (string, error) {
		u, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		return u.Uid, nil
	}); err != nil {
		return n, fmt.Errorf("control: OWNER=%s: %w", p.Owner, err)
	}
	group := func(name string) (string, error) {
		g, err := user.LookupGroup(name)
		if err != nil {
			return "", err
		}
		return g.Gid, nil
	}
	if n.group, err = number(p.Group, group); err != nil {
		return n, fmt.Errorf("control: GROUP=%s: %w: create it, or name another one", p.Group, err)
	}
	if n.readGroup, err = number(p.ReadGroup, group); err != nil {
		return n, fmt.Errorf("control: READ_GROUP=%s: %w: create it, or name another one",
			p.ReadGroup, err)
	}
	return n, nil
}

// number gives the id that a name stands for; digits are the id itself.
func number(name string, lookUp func(string) (string, error)) (int, error) {
	if name == "" {
		return nobody, nil
	}
	text := name
	if strings.Trim(name, "0123456789") != "" {
		var err error
		if text, err = lookUp(name); err != nil {
			return nobody, err
		}
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return nobody, fmt.Errorf("%q is not an id", text)
	}
	return int(n), nil
}
