package hostapd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"wpsd/drivers"
)

// DefaultDirectories are where control sockets are looked for, in this order. /var/run is mostly a
// link to /run: what is looked at twice does no harm.
var DefaultDirectories = []string{"/run/hostapd", "/var/run/hostapd", "/run/wpa_supplicant",
	"/var/run/wpa_supplicant"}

// Directories finds access points by the control sockets of their software. It is safe for
// concurrent use and implements drivers.AccessPoints.
type Directories struct {
	// Paths are the directories; nil: DefaultDirectories.
	Paths []string
	// Log; nil: none.
	Log *slog.Logger
}

var _ drivers.AccessPoints = Directories{}

// AccessPoint implements drivers.AccessPoints. Of several sockets with this name the first whose
// owner answers counts: one that was killed leaves its socket behind. A socket or directory that is
// closed to us is fs.ErrPermission as well as drivers.ErrUnreachable.
func (d Directories) AccessPoint(ctx context.Context, ifname string) (drivers.AccessPoint, error) {
	if ifname != filepath.Base(ifname) || ifname == "." || ifname == ".." {
		return nil, fmt.Errorf("hostapd: %q: %w", ifname, drivers.ErrNoInterface)
	}
	paths, log := d.Paths, d.Log
	if paths == nil {
		paths = DefaultDirectories
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	var errs []error
	for _, dir := range paths {
		path := filepath.Join(dir, ifname)
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrPermission): // the directory is closed to us, so perhaps it is there
			errs = append(errs, fmt.Errorf("hostapd: %w: %w", drivers.ErrUnreachable, err))
			continue
		case err != nil || info.Mode()&os.ModeSocket == 0:
			continue
		}
		ap, err := Open(ctx, path, log)
		if err == nil {
			return ap, nil
		}
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return nil, fmt.Errorf("hostapd: no control socket of %s in %v: set ctrl_interface in the access point's configuration: %w", ifname, paths, drivers.ErrUnreachable)
}
