package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// journalDirectory is where, in the state directory, it stands what is owed.
	journalDirectory = "owed"
	journalSuffix    = ".json"
	maxClaims        = 8
	// debtExpires is when a debt is taken for one of before the kernel was started, where that
	// cannot be told.
	debtExpires = 24 * time.Hour
)

// Debt is what we owe the interface of this name: to whom it belongs, and how it was. It holds no
// secrets that are not the manager's own, and the file is readable by us alone in any case.
type Debt struct {
	Interface string
	// Taken is when; Put fills it in.
	Taken time.Time
	// LinkDown says that the link was down before.
	LinkDown bool
	// Claims are what each manager gets back, in the order in which they let go.
	Claims []Claim
}

// Claim is what one manager gets back; only the manager's own package reads Debt.
type Claim struct {
	Manager string          `json:"manager"`
	Debt    json.RawMessage `json:"debt"`
}

type debtFile struct {
	Version   int       `json:"version"`
	Interface string    `json:"interface"`
	Boot      string    `json:"boot,omitempty"`
	Taken     time.Time `json:"taken"`
	LinkDown  bool      `json:"link-down,omitempty"`
	Claims    []Claim   `json:"claims,omitempty"`
}

// Journal is the record on disk of which interfaces are to be given back, and how: it is written
// before anything is taken, so that a process that is killed leaves it to the next one. Its methods
// are safe for concurrent use with different interfaces. A nil Journal keeps nothing.
type Journal struct {
	dir *directory
	// boot names the run of the kernel: after another start nothing is owed any more. Empty: not
	// known, for a sandbox may hide it; then a debt counts, since to give back what nobody took
	// changes nothing.
	boot string

	mu sync.Mutex
	// interfaces whose debts this process made, or found: the kernel was not started anew since
	known map[string]bool
}

// bootFile holds a new random UUID with each start of the kernel.
const bootFile = "/proc/sys/kernel/random/boot_id"

// OpenJournal opens the journal in a state directory. ErrInUse means that another wpsd has it.
func OpenJournal(state string) (*Journal, error) {
	dir, err := openDirectory(filepath.Join(state, journalDirectory))
	if err != nil {
		return nil, err
	}
	dir.passing = true               // a debt is of one run of the kernel
	boot, _ := os.ReadFile(bootFile) // see boot
	return &Journal{dir: dir, boot: strings.TrimSpace(string(boot)), known: map[string]bool{}}, nil
}

// Close gives the directory back.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	return j.dir.close()
}

// Put writes what is owed to an interface, in place of what was.
func (j *Journal) Put(d Debt) error {
	if j == nil {
		return nil
	}
	if err := d.check(); err != nil {
		return err
	}
	if d.Taken.IsZero() {
		d.Taken = time.Now().UTC()
	}
	text, err := encode(debtFile{formatVersion, d.Interface, j.boot, d.Taken, d.LinkDown, d.Claims})
	if err != nil {
		return err
	}
	if err := j.dir.write(d.Interface+journalSuffix, text); err != nil {
		return err
	}
	j.know(d.Interface, true)
	return nil
}

// know notes that a debt counts however old it is, or no longer.
func (j *Journal) know(ifname string, counts bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if counts {
		j.known[ifname] = true
	} else {
		delete(j.known, ifname)
	}
}

// expired reports whether a debt may be one of before the kernel was started anew.
func (j *Journal) expired(d Debt, boot string) bool {
	if boot != "" && j.boot != "" {
		return boot != j.boot
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return !j.known[d.Interface] && time.Since(d.Taken) > debtExpires
}

// Clear notes that nothing is owed to an interface any more.
func (j *Journal) Clear(ifname string) error {
	if j == nil {
		return nil
	}
	j.know(ifname, false)
	return j.dir.remove(ifname + journalSuffix)
}

// Debt returns what is owed to an interface; ErrNotFound: nothing.
func (j *Journal) Debt(ifname string) (Debt, error) {
	if j == nil {
		return Debt{}, ErrNotFound
	}
	text, err := j.dir.read(ifname + journalSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return Debt{}, ErrNotFound
	}
	if err != nil {
		return Debt{}, err
	}
	if len(text) == 0 { // power was lost before it was on the disk
		return Debt{}, errors.Join(ErrNotFound, j.Clear(ifname))
	}
	d, boot, err := parseDebt(ifname, text)
	if err != nil {
		return d, err
	}
	if j.expired(d, boot) {
		return Debt{}, errors.Join(ErrNotFound, j.Clear(ifname))
	}
	j.know(ifname, true)
	return d, nil
}

// Debts returns all that is owed. What cannot be read is set aside and told in the error, beside
// the rest.
func (j *Journal) Debts() (list []Debt, err error) {
	if j == nil {
		return nil, nil
	}
	names, err := j.dir.names()
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	for _, name := range names {
		ifname, ok := strings.CutSuffix(name, journalSuffix)
		if !ok {
			continue
		}
		d, readErr := j.Debt(ifname)
		if errors.Is(readErr, ErrNotFound) {
			continue // of an earlier start of the kernel
		}
		if readErr != nil {
			aside, asideErr := j.dir.setAside(name)
			err = errors.Join(err, fmt.Errorf("store: what is owed to %s, now in %s: %w", ifname,
				aside, readErr), asideErr)
			continue
		}
		list = append(list, d)
	}
	return list, err
}

func parseDebt(ifname string, text []byte) (d Debt, boot string, err error) {
	var f debtFile
	if err := decode(text, &f); err != nil {
		return Debt{}, "", err
	}
	d = Debt{f.Interface, f.Taken, f.LinkDown, f.Claims}
	if d.Interface != ifname {
		return Debt{}, "", fmt.Errorf("%w: it is for %q", ErrInvalid, d.Interface)
	}
	return d, f.Boot, d.check()
}

// check is what every debt fulfils, whoever wrote the file.
func (d *Debt) check() error {
	if n := len(d.Interface); n == 0 || n > 15 || strings.ContainsAny(d.Interface, "/\x00") ||
		d.Interface == "." || d.Interface == ".." {
		return fmt.Errorf("%w: %q is no network interface", ErrInvalid, d.Interface)
	}
	if len(d.Claims) > maxClaims {
		return fmt.Errorf("%w: %d managers of one interface", ErrInvalid, len(d.Claims))
	}
	for _, c := range d.Claims {
		if c.Manager == "" || !isText([]byte(c.Manager)) || !json.Valid(c.Debt) {
			return fmt.Errorf("%w: what is owed to %q", ErrInvalid, c.Manager)
		}
	}
	return nil
}
