package nl80211

import (
	"context"
	"sync"
	"time"
)

const (
	// downTime is how long a link that somebody has just taken down may take to come up again by
	// itself. NetworkManager 1.42 takes it down to change its address, at each activation, for some
	// 50 ms; firmware may need a second to start.
	downTime = 2 * time.Second
	// newsTime is how long the watch may take to read what the kernel has told already.
	newsTime = time.Millisecond
)

// downs remembers when others took links down, as the watch hears it. Who changes a link's address
// or type does so between taking it down and bringing it up, and fails if somebody else brings it up
// in between; and a link that is brought up by two of us is not to be taken down by the first who
// leaves. It is safe for concurrent use.
type downs struct {
	mu   sync.Mutex
	byID map[int]*down
}

// down is what was heard of one link.
type down struct {
	heard, up bool
	gave      time.Time // when who had it let go of it last
	given     bool      // they took it down with that, and it has not come up since
	ours      int       // how often we have taken it down, and not heard of it yet
	count     int       // how often others have
	at        time.Time // when they did last
	// changed is closed when the link comes up, goes down or is gone, or news was lost; nil: nobody
	// waits for that
	changed chan struct{}
}

// tell wakes those who wait for news of the link. Its caller holds the lock of downs.
func (l *down) tell() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// of finds a link's entry. Its caller holds the lock.
func (d *downs) of(index int) *down {
	if d.byID == nil {
		d.byID = make(map[int]*down)
	}
	if d.byID[index] == nil {
		d.byID[index] = new(down)
	}
	return d.byID[index]
}

// onLink takes the news of a link.
func (d *downs) onLink(index int, up bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.of(index)
	fell, rose := !up && (l.up || !l.heard), up && !l.up
	l.heard, l.up = true, up
	if fell || rose {
		l.tell()
	}
	switch {
	case rose:
		l.given = false
	case !fell:
	case time.Since(l.gave) < downTime:
		l.given = true
	case l.ours > 0:
		l.ours--
	default:
		l.count, l.at = l.count+1, time.Now()
	}
}

// remove forgets a link that is gone: its number is not used again soon.
func (d *downs) remove(index int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.of(index).tell()
	delete(d.byID, index)
}

// reset says that news was lost: nothing is known of how links are now.
func (d *downs) reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.byID {
		l.heard, l.ours, l.count = false, 0, l.count+1
		l.tell()
	}
}

// expect says that we take a link down now, or did not after all.
func (d *downs) expect(index, times int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.of(index)
	l.ours = max(l.ours+times, 0)
}

// give says that who had the link let go of it: if they took it down with that, it stays so.
func (d *downs) give(index int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.of(index)
	l.gave, l.given = time.Now(), l.heard && !l.up
}

// counted is how often others took a link down so far.
func (d *downs) counted(index int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.of(index).count
}

// just tells how long ago others took a link down, that is down; and whether news of that may be
// under way: the last was that it is up, or there was none. One that was given to us is ours.
func (d *downs) just(index int) (ago time.Duration, coming bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.of(index)
	if l.given {
		return downTime, false
	}
	return time.Since(l.at), !l.heard || l.up
}

// news is closed when the next news of a link comes.
func (d *downs) news(index int) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.of(index)
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.changed
}

// settled is how a link is. One that somebody has just taken down is given time to come up by
// itself; that is still down after it was switched off, or is nobody's.
func (d *Driver) settled(ctx context.Context, index int) (linkMessage, error) {
	for waited := false; ; waited = true {
		news := d.downs.news(index) // before the question: none is missed that comes after it
		l, err := d.links.get(index)
		if err != nil || l.up {
			return l, err
		}
		ago, coming := d.downs.just(index)
		wait := downTime - ago
		switch {
		case coming && !waited:
			wait = newsTime
		case wait <= 0:
			return l, nil
		}
		select {
		case <-news:
		case <-time.After(wait):
		case <-ctx.Done():
			return l, ctx.Err()
		}
	}
}

// takeDown takes a link down that is up, and knows that it was us.
func (d *Driver) takeDown(index int) error {
	l, err := d.links.get(index)
	if err != nil || !l.up {
		return err
	}
	d.downs.expect(index, 1)
	if err := d.links.set(index, false); err != nil {
		d.downs.expect(index, -1)
		return err
	}
	return nil
}
