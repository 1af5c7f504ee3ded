package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wpsd/drivers/wpasupplicant"
	"wpsd/engine/wsc"
	"wpsd/service/control"
	"wpsd/service/settings"
	"wpsd/service/state"
	"wpsd/service/store"
)

// Bounds of a configuration file. A real one has a few hundred bytes; what is larger was not meant
// for us.
const (
	maxConfigSize = 64 << 10
	maxConfigLine = 4096
	// maxConfigErrors is how many mistakes are told at once before the parser gives up.
	maxConfigErrors = 20
)

// config is what a configuration file says.
type config struct {
	Device       wsc.Device
	Processing   state.Processing
	FragmentSize int // 0: the service's own default
	// Forget keeps networks in memory only.
	Forget bool
	// Apply says who gets networks: see service.Config.
	Apply string
	// Control has the sockets for wpa_cli; without a directory there are none.
	Control control.Place
	// ControlTerminate lets clients of these sockets end wpsd.
	ControlTerminate bool
	// AccessPoints are the directories with the control sockets of access points; nil: the usual
	// ones.
	AccessPoints []string
	// Supplicants are those of a wpa_supplicant that has stations; nil: the usual ones.
	Supplicants []string
	// IdleExit is how soon to end when nobody needs us; 0: never; nil: not said.
	IdleExit *time.Duration
	// LogLevel is from where on lines are logged; 0: what happens, but not in detail.
	LogLevel slog.Level
	// Notes are sentences for the log about settings that are accepted and have no effect (yet).
	Notes []string
	// Token is this device's NFC password token; of id 0: none is configured.
	Token store.Token

	nfc nfcConfig
}

// setting reads one value into the configuration.
type setting func(c *config, value string) error

// knownKeys are the keys that wpsd knows, spelled as in wpa_supplicant.conf.
var knownKeys = map[string]setting{
	"uuid": setUUID,
	"device_name": text(32, func(c *config) *string {
		return &c.Device.DeviceName
	}),
	"manufacturer": text(64, func(c *config) *string {
		return &c.Device.Manufacturer
	}),
	"model_name": text(32, func(c *config) *string {
		return &c.Device.ModelName
	}),
	"model_number": text(32, func(c *config) *string {
		return &c.Device.ModelNumber
	}),
	"serial_number": text(32, func(c *config) *string {
		return &c.Device.SerialNumber
	}),
	"device_type":                   setDeviceType,
	"os_version":                    setOSVersion,
	"config_methods":                setConfigMethods,
	"wps_cred_processing":           setProcessing,
	"update_config":                 setUpdateConfig,
	"wps_fragment_size":             setFragmentSize,
	"ctrl_interface":                setControlInterface,
	"apply":                         setApply,
	"ctrl_terminate":                setControlTerminate,
	"hostapd_ctrl_interface":        setAccessPoints,
	"wpa_supplicant_ctrl_interface": setSupplicants,
	"wps_nfc_dev_pw_id":             setTokenID,
	"wps_nfc_dh_pubkey":             setTokenPublicKey,
	"wps_nfc_dh_privkey":            setTokenPrivateKey,
	"wps_nfc_dev_pw":                setTokenPassword,
	"idle_exit":                     setIdleExit,
	"log_level":                     setLogLevel,
}

// elsewhere are words of wpa_supplicant.conf that people will try, with what to do instead.
var elsewhere = map[string]string{
	"network": "networks do not belong here: wpsd keeps what it receives in its state directory (see wpsctl networks); remove the block",
	"cred":    "credentials do not belong here; remove the block",
}

// loadConfig reads the file at path. With optional set a file that does not exist is an empty one.
func loadConfig(path string, optional bool) (*config, error) {
	f, err := os.Open(path)
	if optional && errors.Is(err, os.ErrNotExist) {
		return parseConfig(path, strings.NewReader(""))
	}
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	c, err := parseConfig(path, f)
	if err == nil && c.Token.ID != 0 {
		if info, statErr := f.Stat(); statErr == nil && info.Mode().Perm()&0o077 != 0 {
			c.Notes = append(c.Notes, fmt.Sprintf(
				"%s can be read by others (mode %04o), and has the private key of an NFC token in it: chmod 600 it",
				path, info.Mode().Perm()))
		}
	}
	return c, err
}

// parseConfig reads key=value lines as wpa_supplicant.conf has them: spaces around key and value do
// not count, a line that begins with # is a comment, and so is the rest of a line after a # outside
// double quotes. Double quotes around a value are taken off (wpa_supplicant would keep them in the
// name). Every mistake is told with file, line and key.
func parseConfig(name string, r io.Reader) (*config, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxConfigSize+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxConfigSize {
		return nil, fmt.Errorf("%s: larger than %d bytes: not a wpsd configuration", name,
			maxConfigSize)
	}
	c := &config{Processing: state.ProcessingInternal}
	var errs []error
	seen := map[string]int{} // key → line
	block := false           // inside network={ … }, which was told once
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		if block {
			block = strings.TrimSpace(line) != "}"
			continue
		}
		key, err := c.parseLine(line, number, seen)
		if err == nil {
			continue
		}
		block = errors.Is(err, errBlock)
		if key != "" {
			err = fmt.Errorf("%s: %w", key, err)
		}
		errs = append(errs, &lineError{name, number, err})
		if len(errs) == maxConfigErrors {
			errs = append(errs,
				fmt.Errorf("%s: the rest was not read after %d mistakes", name, maxConfigErrors))
			break
		}
	}
	if c.Token, err = c.nfc.token(); err != nil && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("%s: %w", name, err))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return c, nil
}

// lineError is a mistake in a line of the file.
type lineError struct {
	file string
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.file, e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// errBlock marks the first line of a block, whose other lines are not worth a complaint each.
var errBlock = errors.New("blocks are not allowed")

// parseLine takes one line and returns the key it is about, if it got that far.
func (c *config) parseLine(line string, number int, seen map[string]int) (key string, err error) {
	if len(line) > maxConfigLine {
		return "", fmt.Errorf("longer than %d bytes", maxConfigLine)
	}
	line = stripComment(strings.TrimSpace(line))
	if line == "" {
		return "", nil
	}
	if !utf8.ValidString(line) {
		return "", errors.New("not valid UTF-8")
	}
	key, value, ok := strings.Cut(line, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if !ok || key == "" {
		return "", fmt.Errorf("%.40q is not a key=value line", line)
	}
	if value == "{" {
		if hint, ok := elsewhere[key]; ok {
			return printable(key), fmt.Errorf("%w: %s", errBlock, hint)
		}
		return printable(key), errBlock
	}
	set, ok := knownKeys[key]
	if !ok {
		return printable(key), unknownKey(key)
	}
	if first := seen[key]; first != 0 {
		return key, fmt.Errorf("set before, in line %d", first)
	}
	seen[key] = number
	value, err = unquote(value)
	if err != nil {
		return key, err
	}
	return key, set(c, value)
}

// stripComment removes a comment: the whole line, or what follows a # after the last double quote
// (hostap looks for quotes in the same way, so that names may hold a #).
func stripComment(line string) string {
	start := 0
	if open := strings.IndexByte(line, '"'); open >= 0 && !strings.Contains(line[:open], "#") {
		start = strings.LastIndexByte(line, '"')
	}
	if i := strings.IndexByte(line[start:], '#'); i >= 0 {
		line = line[:start+i]
	}
	return strings.TrimSpace(line)
}

// unquote takes off a pair of double quotes. A value is never half quoted.
func unquote(value string) (string, error) {
	if !strings.HasPrefix(value, `"`) {
		return value, nil
	}
	if len(value) < 2 || !strings.HasSuffix(value, `"`) {
		return "", errors.New("the closing double quote is missing")
	}
	return value[1 : len(value)-1], nil
}

// unknownKey says what to do about a key that wpsd does not have.
func unknownKey(key string) error {
	if hint, ok := elsewhere[key]; ok {
		return errors.New(hint)
	}
	if strings.HasPrefix(key, "CONFIG_") {
		return errors.New("this is a build option of wpa_supplicant, wpsd has everything built in; remove the line")
	}
	return fmt.Errorf("unknown key; the keys are %s", strings.Join(keys(), ", "))
}

// keys lists the known keys in alphabetical order.
func keys() []string {
	names := make([]string, 0, len(knownKeys))
	for name := range knownKeys {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// printable shortens a key for an error message and escapes what a terminal would act on.
func printable(key string) string {
	if len(key) > 40 {
		key = key[:40]
	}
	quoted := strconv.QuoteToGraphic(key)
	return quoted[1 : len(quoted)-1]
}

// text is the setting of a device attribute that holds at most limit bytes (WSC 2.0 §12, table of
// data elements).
func text(limit int, field func(*config) *string) setting {
	return func(c *config, value string) error {
		if len(value) > limit {
			return fmt.Errorf("longer than %d bytes", limit)
		}
		if i := strings.IndexFunc(value, unicode.IsControl); i >= 0 {
			return errors.New("holds a control character")
		}
		*field(c) = value
		return nil
	}
}

func setUUID(c *config, value string) error {
	id, err := wsc.ParseUUID(value)
	if err != nil {
		return fmt.Errorf("%q is not a UUID such as 12345678-9abc-def0-1234-56789abcdef0",
			printable(value))
	}
	if id == (wsc.UUID{}) {
		return errors.New("the zero UUID names no device; leave the line out to have one made from the MAC address")
	}
	c.Device.UUID = id
	return nil
}

func setDeviceType(c *config, value string) error {
	t, err := wsc.ParseDeviceType(value)
	if err != nil {
		return fmt.Errorf("%q is not a device type such as 1-0050F204-1 (category-OUI-subcategory)",
			printable(value))
	}
	c.Device.PrimaryDeviceType = t
	return nil
}

// setOSVersion takes eight hexadecimal digits, as wpa_supplicant does: 01020300.
func setOSVersion(c *config, value string) error {
	n, err := strconv.ParseUint(value, 16, 32)
	if err != nil || len(value) != 8 {
		return fmt.Errorf("%q is not eight hexadecimal digits", printable(value))
	}
	c.Device.OSVersion = uint32(n)
	return nil
}

// setConfigMethods takes words; none at all means the service's default.
func setConfigMethods(c *config, value string) error {
	methods, err := wsc.ParseConfigMethods(value)
	if err != nil {
		return fmt.Errorf("%w", err)
	}
	// A device has either a fixed PIN on its label or a fresh one on its display; hostap refuses to
	// start with both.
	if methods&wsc.ConfigLabel != 0 && methods&wsc.ConfigDisplay != 0 {
		return errors.New("label and display exclude each other; choose one")
	}
	c.Device.ConfigMethods = methods
	return nil
}

func setProcessing(c *config, value string) error {
	switch value {
	case "0":
		c.Processing = state.ProcessingInternal
	case "1":
		c.Processing = state.ProcessingExternal
	case "2":
		c.Processing = state.ProcessingBoth
	default:
		return fmt.Errorf("%q is none of 0 (wpsd keeps credentials), 1 (another program does), 2 (both)", printable(value))
	}
	return nil
}

// setUpdateConfig is wpa_supplicant's switch for keeping networks beyond a restart. wpsd never
// writes its configuration file but its state directory, and unlike wpa_supplicant it does so
// unless told otherwise.
func setUpdateConfig(c *config, value string) error {
	switch value {
	case "0":
		c.Forget = true
	case "1":
		c.Forget = false
	default:
		return fmt.Errorf("%q is neither 0 nor 1", printable(value))
	}
	return nil
}

// setFragmentSize bounds EAP-WSC fragments.
func setFragmentSize(c *config, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < settings.MinFragmentSize || n > settings.MaxFragmentSize {
		return fmt.Errorf("%q is not a number from %d to %d", printable(value),
			settings.MinFragmentSize, settings.MaxFragmentSize)
	}
	c.FragmentSize = n
	return nil
}

// setControlInterface takes the directory of the sockets for wpa_cli, as wpa_supplicant.conf has
// it.
func setControlInterface(c *config, value string) error {
	place, err := control.ParsePlace(value)
	if err != nil {
		return err
	}
	c.Control = place
	return nil
}

// setControlTerminate lets wpa_cli's terminate end wpsd. wpa_supplicant always does; a service is
// systemd's to stop.
func setControlTerminate(c *config, value string) error {
	if value != "0" && value != "1" {
		return fmt.Errorf("%q is neither 0 nor 1", printable(value))
	}
	c.ControlTerminate = value == "1"
	return nil
}

// setAccessPoints takes the value that ctrl_interface has in hostapd.conf, a directory, also in the
// form DIR=… GROUP=….
func setAccessPoints(c *config, value string) error {
	dir, err := socketDir(value, "/run/hostapd")
	if err == nil {
		c.AccessPoints = []string{dir}
	}
	return err
}

// setSupplicants takes the value that ctrl_interface has in the wpa_supplicant.conf of a
// wpa_supplicant that has stations.
func setSupplicants(c *config, value string) error {
	dir, err := socketDir(value, wpasupplicant.DefaultSockets[0])
	if err == nil {
		c.Supplicants = []string{dir}
	}
	return err
}

// socketDir reads a directory of control sockets, also in the form DIR=… GROUP=….
func socketDir(value, example string) (string, error) {
	dir := value
	if rest, ok := strings.CutPrefix(value, "DIR="); ok {
		dir, _, _ = strings.Cut(rest, " ")
	}
	if !filepath.IsAbs(dir) || strings.ContainsFunc(dir, unicode.IsControl) {
		return "", fmt.Errorf("%q is not a directory such as %s", printable(value), example)
	}
	return filepath.Clean(dir), nil
}

// setLogLevel takes the names that the levels have in the journal.
func setLogLevel(c *config, value string) error {
	level, ok := map[string]slog.Level{"error": slog.LevelError, "warning": slog.LevelWarn,
		"info": slog.LevelInfo, "debug": slog.LevelDebug}[value]
	if !ok {
		return fmt.Errorf("%q is none of error, warning, info and debug", printable(value))
	}
	c.LogLevel = level
	return nil
}

// maxIdleExit is a day: who wants more wants never.
const maxIdleExit = 24 * 60 * 60

// setIdleExit takes seconds, as all times in wpa_supplicant.conf are.
func setIdleExit(c *config, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > maxIdleExit {
		return fmt.Errorf("%q is not a number of seconds from 1 to %d, or 0 for never",
			printable(value), maxIdleExit)
	}
	d := time.Duration(n) * time.Second
	c.IdleExit = &d
	return nil
}
