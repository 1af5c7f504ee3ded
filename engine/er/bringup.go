package er

import (
	"time"

	"wpsd/engine/upnp"
)

const (
	// maxTries is how often a background request is sent before we give up on a device.
	maxTries = 3
	// retryFirst is how long after a failure it is sent again, and twice that the next time.
	retryFirst = 500 * time.Millisecond
)

// onDescription takes the description. The UUID in it counts more than the announcement's (hostap
// behaviour).
func (r *Registrar) onDescription(now time.Time, a *ap, resp upnp.Response) {
	if resp.Status != 200 {
		r.drop(now, a, "does not give its description: "+
			(&upnp.Refused{Status: resp.Status}).Error())
		return
	}
	d, err := upnp.ParseDescription(a.Location, resp.Body)
	if err != nil {
		r.drop(now, a, "its description is of no use: "+err.Error())
		return
	}
	uuid := a.names[0]
	if d.HasUDN {
		uuid = d.UDN
	}
	for _, b := range a.host.aps {
		if b != a && b.UUID == uuid && b.rank == proven {
			if len(b.names) < maxNames {
				b.names = append(b.names, a.names[0])
			}
			// one device that announces itself in two ways; this one was not published
			r.remove(now, a, Replaced)
			return
		}
	}
	before := a.UUID
	r.unindex(now, a)
	a.UUID, a.Description = uuid, *d
	a.Description.Control, a.Description.Event, a.Description.SCPD = copyURL(d.Control),
		copyURL(d.Event), copyURL(d.SCPD)
	r.byUUID[uuid] = append(r.byUUID[uuid], a)
	if a.counts() {
		r.compare(now, before, nil)
		r.compare(now, uuid, nil)
	}
}

// onDeviceInfo takes the answer to GetDeviceInfo. An access point without it can still let devices
// in.
func (r *Registrar) onDeviceInfo(now time.Time, a *ap, resp upnp.Response) {
	before, problem := a.Device, a.noInfo
	message, err := upnp.GetDeviceInfo.ParseReply(resp)
	if err == nil {
		err = r.onAPM1(now, a, message)
	}
	a.noInfo = ""
	if err != nil {
		a.noInfo = "does not introduce itself, so that it cannot be configured: " + err.Error()
	}
	if a.published && (before.MAC != a.Device.MAC || before.State != a.Device.State ||
		problem != a.noInfo) {
		r.publishChange(a)
	}
	if !a.published && a.want&wantSubscribe != 0 {
		r.verify(now, a)
	}
}
