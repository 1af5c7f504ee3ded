package main

import "wpsd/cmd/wps-applet/model"

// background is the applet without a window.
type background struct{ a *applet }

func newBackground(a *applet) *background { return &background{a} }

func (b *background) first() bool           { return false }
func (b *background) render(s *model.State) {}
