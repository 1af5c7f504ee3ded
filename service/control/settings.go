package control

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// deviceTexts are the keys of SET that are texts of the device.
var deviceTexts = map[string]func(*wsc.Device) *string{
	"device_name":   func(d *wsc.Device) *string { return &d.DeviceName },
	"manufacturer":  func(d *wsc.Device) *string { return &d.Manufacturer },
	"model_name":    func(d *wsc.Device) *string { return &d.ModelName },
	"model_number":  func(d *wsc.Device) *string { return &d.ModelNumber },
	"serial_number": func(d *wsc.Device) *string { return &d.SerialNumber },
}

// processing is wps_cred_processing in numbers.
var processing = []state.Processing{state.ProcessingInternal, state.ProcessingExternal,
	state.ProcessingBoth}

// set is SET KEY VALUE: what wpsd says of this device, until it ends.
func (c *call) set() string {
	key, value, ok := strings.Cut(c.args, " ")
	if !ok {
		return c.fail(errSyntax)
	}
	if field, ok := deviceTexts[key]; ok {
		return c.done(c.svc().Settings().SetDevice(c.ctx, func(d *wsc.Device) { *field(d) = value }))
	}
	switch key {
	case "uuid":
		id, err := wsc.ParseUUID(value)
		if err == nil && id == (wsc.UUID{}) {
			err = errors.New("the zero UUID names no device")
		}
		return c.change(err, func(d *wsc.Device) { d.UUID = id })
	case "device_type":
		t, err := wsc.ParseDeviceType(value)
		return c.change(err, func(d *wsc.Device) { d.PrimaryDeviceType = t })
	case "os_version":
		n, err := strconv.ParseUint(value, 16, 32)
		if len(value) != 8 {
			err = errSyntax
		}
		return c.change(err, func(d *wsc.Device) { d.OSVersion = uint32(n) &^ (1 << 31) })
	case "config_methods":
		methods, err := wsc.ParseConfigMethods(value)
		if err == nil && methods&wsc.ConfigLabel != 0 && methods&wsc.ConfigDisplay != 0 {
			err = errors.New("config_methods: label and display exclude each other")
		}
		return c.change(err, func(d *wsc.Device) { d.ConfigMethods = methods })
	case "wps_fragment_size": // 0 is the usual one
		return c.done(c.svc().Settings().SetFragmentSize(c.ctx, atoi(value)))
	case "wps_priority":
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return c.fail(errSyntax)
		}
		c.svc().Managers().SetPriority(int(n))
		c.server.networks.favor(int(n))
		return replyOK
	case "wps_cred_add_sae":
		if value != "0" && value != "1" {
			return c.fail(errSyntax)
		}
		c.svc().Managers().SetAddSAE(value == "1")
		c.server.plain.Store(value == "0")
		return replyOK
	case "wps_cred_processing":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n >= len(processing) {
			return c.fail(fmt.Errorf("wps_cred_processing: %q is none of 0, 1 and 2", value))
		}
		return c.done(c.svc().Settings().SetProcessing(c.ctx, processing[n]))
	}
	return c.fail(fmt.Errorf("there is no setting %.40q that SET could change", key))
}

// change alters the device, unless its new value could not be read.
func (c *call) change(err error, alter func(*wsc.Device)) string {
	if err != nil {
		return c.fail(err)
	}
	return c.done(c.svc().Settings().SetDevice(c.ctx, alter))
}

// get is GET KEY: the value without a newline.
func (c *call) get() string {
	m := c.svc().Published().Manager()
	if field, ok := deviceTexts[c.args]; ok {
		if text := *field(&m.Device); text != "" {
			return text
		}
		return replyFail // as wpa_supplicant says of a text that is not set
	}
	switch c.args {
	case "uuid":
		return m.Device.UUID.String()
	case "device_type":
		return m.Device.PrimaryDeviceType.String()
	case "os_version":
		return fmt.Sprintf("%08x", m.Device.OSVersion)
	case "config_methods":
		return m.Device.ConfigMethods.String()
	case "wps_cred_processing":
		for n, p := range processing {
			if p == m.Processing {
				return strconv.Itoa(n)
			}
		}
	case "wps_priority":
		return strconv.Itoa(c.server.networks.favored())
	case "wps_cred_add_sae": // where wpa_supplicant's default is 0
		if c.server.plain.Load() {
			return "0"
		}
		return "1"
	case "update_config":
		if c.server.options.Forget {
			return "0"
		}
		return "1"
	case "ctrl_interface":
		if dir := c.server.options.Place.Dir; dir != "" {
			return dir
		}
	}
	return replyFail
}
