package main

import (
	"strings"

	"wpsd/cmd/wps-applet/model"
)

// routerText describes a router in a line.
func routerText(r model.Router) string {
	var parts []string
	if s := securityText(r.Security); s != "" {
		parts = append(parts, s)
	}
	if bands := r.Bands(); len(bands) > 0 {
		parts = append(parts, strings.Join(bands, " + ")+" GHz")
	}
	parts = append(parts, signalText(r.Signal))
	return strings.Join(parts, " · ")
}
