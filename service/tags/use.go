package tags

import (
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/wsc"
)

// Use is what one run, or one session's runs, with an access point have of its tag. The goroutine
// of the run owns it.
type Use struct {
	tags *Tags
	used devpass.Password // a copy; of id 0: none so far
}

// Use begins the use of whichever tag the access point will name.
func (t *Tags) Use() *Use { return &Use{tags: t} }

// Find gives the password of the tag that M1 names by its Device Password ID, which is random and
// 0x0010 or above (wsc.PasswordIDFirstToken). It stays this Use's. Find is an er.TagFinder, and what
// registration.RegistrarConfig.Token asks for.
func (u *Use) Find(_ time.Time, id wsc.DevicePasswordID, _ [20]byte) (registration.Token, bool) {
	u.tags.mu.Lock()
	defer u.tags.mu.Unlock()
	for _, r := range u.tags.read {
		if r.password.ID == id {
			u.used.Wipe()
			u.used = r.copied()
			return registration.Token{Password: u.used, EnrolleeKeyHash: &r.hash}, true
		}
	}
	return registration.Token{}, false
}

// End wipes the copy, and removes the tag's password if it was used with success: it is for one
// such run.
func (u *Use) End(succeeded bool) {
	u.used.Wipe()
	if !succeeded || u.used.ID == 0 {
		return
	}
	u.tags.mu.Lock()
	defer u.tags.mu.Unlock()
	u.tags.remove(u.used.ID)
}
