package outcome

import (
	"reflect"
	"time"

	"wpsd/engine/wsc"
)

// Values are a detail as Session.Detail has it on D-Bus, by the names that the manual of
// fi.w1.wps.Session explains. What is not known is not there.
func (d *Detail) Values() map[string]any {
	v := map[string]any{}
	text(v, "case", string(d.Case))
	number(v, "config-error", uint16(d.ConfigError))
	octets(v, "ssid", d.SSID)
	address(v, "peer", d.Peer)
	address(v, "wanted", d.Wanted.BSSID)
	octets(v, "wanted-ssid", d.Wanted.SSID)
	number(v, "frequency", uint32(max(d.Frequency, 0)))
	address(v, "instead", d.Instead.BSSID)
	octets(v, "instead-ssid", d.Instead.SSID)
	text(v, "name", d.FriendlyName)
	text(v, "address", d.Address)
	number(v, "half", uint32(max(d.PasswordHalf, 0)))
	number(v, "tried", uint32(max(d.AccessPointsTried, 0)))
	number(v, "link-reason", d.LinkReason)
	number(v, "link-status", d.LinkStatus)
	number(v, "upnp-error", uint32(max(d.UPnPError, 0)))
	number(v, "timeout", uint32(max(d.Timeout.Round(time.Second)/time.Second, 0)))
	number(v, "credentials", uint32(max(d.Credentials, 0)))
	number(v, "stored", uint32(max(d.Stored, 0)))
	flag(v, "not-stored", d.NotStored)
	flag(v, "store-full", d.StoreFull)
	text(v, "store-error", d.StoreError)
	number(v, "session", d.Session)
	text(v, "interface", d.Interface)
	text(v, "manager", d.Manager)
	flag(v, "handed-over", d.HandedOver)
	if d.Connection != "" {
		v["connection"] = ObjectPath(d.Connection)
	}
	text(v, "connection-uuid", d.ConnectionUUID)
	text(v, "manager-error", d.ManagerError)
	address(v, "received-with", d.ReceivedWith)
	if n := len(d.Overlap); n > 0 {
		bssids, ssids, uuids := make([]string, n), make([][]byte, n), make([]string, n)
		for i, ap := range d.Overlap {
			bssids[i], ssids[i] = ap.BSSID.String(), append([]byte{}, ap.SSID...)
			if ap.UUID != (wsc.UUID{}) {
				uuids[i] = ap.UUID.String()
			}
		}
		v["bssids"], v["ssids"], v["uuids"] = bssids, ssids, uuids
	}
	if n := len(d.LeftOut); n > 0 {
		texts, ssids, why := make([]string, n), make([][]byte, n), make([]string, n)
		for i, l := range d.LeftOut {
			texts[i], ssids[i], why[i] = l.String(), append([]byte{}, l.SSID...), string(l.Why)
		}
		v["left-out"], v["left-out-ssids"], v["left-out-reasons"] = texts, ssids, why
	}
	return v
}

// ObjectPath is a value that names an object of another program on D-Bus. Who speaks D-Bus has a
// type of its own for it.
type ObjectPath string

// path reads an ObjectPath, of whichever type.
func path(v map[string]any, name string) string {
	if at := reflect.ValueOf(v[name]); at.Kind() == reflect.String {
		return at.String()
	}
	return ""
}

func text(v map[string]any, name, s string) {
	if s != "" {
		v[name] = s
	}
}

func number[T uint16 | uint32](v map[string]any, name string, n T) {
	if n != 0 {
		v[name] = n
	}
}

func octets(v map[string]any, name string, b []byte) {
	if len(b) > 0 {
		v[name] = append([]byte{}, b...)
	}
}

func address(v map[string]any, name string, m wsc.MAC) {
	if !m.IsZero() {
		v[name] = m.String()
	}
}

func flag(v map[string]any, name string, b bool) {
	if b {
		v[name] = true
	}
}

// FromValues reads what Values made. Keys that it does not know, and values of another type, are
// left out: they are of another version.
func FromValues(v map[string]any) Detail {
	return Detail{
		Case:        Case(get[string](v, "case")),
		ConfigError: wsc.ConfigError(get[uint16](v, "config-error")),
		SSID:        get[[]byte](v, "ssid"),
		Peer:        mac(get[string](v, "peer")),
		Wanted: AccessPoint{BSSID: mac(get[string](v, "wanted")),
			SSID: get[[]byte](v, "wanted-ssid")},
		Frequency: int(get[uint32](v, "frequency")),
		Instead: AccessPoint{BSSID: mac(get[string](v, "instead")),
			SSID: get[[]byte](v, "instead-ssid")},
		Overlap:           overlapFrom(v),
		FriendlyName:      get[string](v, "name"),
		Address:           get[string](v, "address"),
		PasswordHalf:      int(get[uint32](v, "half")),
		AccessPointsTried: int(get[uint32](v, "tried")),
		LinkReason:        get[uint16](v, "link-reason"),
		LinkStatus:        get[uint16](v, "link-status"),
		UPnPError:         int(get[uint32](v, "upnp-error")),
		Timeout:           time.Duration(get[uint32](v, "timeout")) * time.Second,
		Credentials:       int(get[uint32](v, "credentials")),
		Stored:            int(get[uint32](v, "stored")),
		NotStored:         get[bool](v, "not-stored"),
		StoreFull:         get[bool](v, "store-full"),
		StoreError:        get[string](v, "store-error"),
		LeftOut:           leftOutFrom(v),
		Session:           get[uint32](v, "session"),
		Interface:         get[string](v, "interface"),
		Manager:           get[string](v, "manager"),
		HandedOver:        get[bool](v, "handed-over"),
		Connection:        path(v, "connection"),
		ConnectionUUID:    get[string](v, "connection-uuid"),
		ManagerError:      get[string](v, "manager-error"),
		ReceivedWith:      mac(get[string](v, "received-with")),
	}
}

func overlapFrom(v map[string]any) []AccessPoint {
	var list []AccessPoint
	ssids, uuids := get[[][]byte](v, "ssids"), get[[]string](v, "uuids")
	for i, text := range get[[]string](v, "bssids") {
		ap := AccessPoint{BSSID: mac(text)}
		if i < len(ssids) {
			ap.SSID = name(ssids[i])
		}
		if i < len(uuids) {
			ap.UUID, _ = wsc.ParseUUID(uuids[i])
		}
		list = append(list, ap)
	}
	return list
}

func leftOutFrom(v map[string]any) []LeftOut {
	var list []LeftOut
	ssids := get[[][]byte](v, "left-out-ssids")
	for i, why := range get[[]string](v, "left-out-reasons") {
		l := LeftOut{Why: Flaw(why)}
		if i < len(ssids) {
			l.SSID = name(ssids[i])
		}
		list = append(list, l)
	}
	return list
}

// get is a value of this type, or zero.
func get[T any](v map[string]any, name string) T {
	value, _ := v[name].(T)
	return value
}

// name is an SSID, nil if it is empty.
func name(ssid []byte) []byte {
	if len(ssid) == 0 {
		return nil
	}
	return ssid
}

func mac(text string) wsc.MAC {
	m, _ := wsc.ParseMAC(text)
	return m
}
