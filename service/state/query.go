package state

import "strings"

// Who wants one thing asks for that: a snapshot copies and sorts all that there is, of a thousand
// access points as well.

// Manager returns what the service says of itself.
func (p *Published) Manager() Manager {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.manager
}

// Interface returns an interface by its name.
func (p *Published) Interface(name string) (Interface, bool) { return get(p, p.interfaces, name) }

// Interfaces returns all interfaces, in the order of their names.
func (p *Published) Interfaces() []Interface {
	p.mu.Lock()
	defer p.mu.Unlock()
	return sorted(p.interfaces, strings.Compare)
}

// Network returns a stored network.
func (p *Published) Network(id NetworkID) (Network, bool) { return get(p, p.networks, id) }

// ER returns the External Registrar on an interface. One that does not run is not Running.
func (p *Published) ER(ifname string) ER {
	e, _ := get(p, p.ers, ifname)
	return e
}

// HasERAccessPoint reports whether an External Registrar has found an access point that is meant.
func (p *Published) HasERAccessPoint(ifname string, meant func(*ERAccessPoint) bool) bool {
	return has(p, p.erAccessPoints, func(k erAccessPointKey, ap *ERAccessPoint) bool {
		return k.ifname == ifname && meant(ap)
	})
}

// HasEREnrollee reports whether an External Registrar has heard of a device that is meant.
func (p *Published) HasEREnrollee(ifname string, meant func(*EREnrollee) bool) bool {
	return has(p, p.erEnrollees, func(k erEnrolleeKey, e *EREnrollee) bool {
		return k.ifname == ifname && meant(e)
	})
}

// get returns the value of a key.
func get[K comparable, V any](p *Published, m map[K]V, key K) (V, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := m[key]
	return v, ok
}

// has reports whether there is a value that is meant. meant must not call Published.
func has[K comparable, V any](p *Published, m map[K]V, meant func(K, *V) bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, v := range m {
		if meant(k, &v) {
			return true
		}
	}
	return false
}
