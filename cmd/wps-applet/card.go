package main

import (
	_ "embed"
	"strings"

	"rsc.io/qr"

	"wpsd/cmd/wps-applet/gtk"
	"wpsd/cmd/wps-applet/model"
)

//go:embed ui/card.ui
var cardXML string

// qrScale is how many pixels of the picture a module of the code is; GTK scales it down.
const qrScale = 8

// card shows a network with its key behind an eye, and its QR code.
type card struct {
	root, key gtk.Object
	network   model.Credential
}

func newCard(a *applet, n model.Credential) *card {
	b := gtk.Build(cardXML)
	defer b.Done()
	c := &card{root: b.Get("root").Keep(), key: b.Get("key"), network: n}
	b.Get("name").Set("subtitle", ssidText(n.SSID))
	reveal, copyKey := b.Get("reveal"), b.Get("copy")
	if n.Key.IsZero() {
		c.key.Set("subtitle", T("None: the network is open"))
		reveal.Show(false)
		copyKey.Show(false)
	} else {
		c.hide()
	}
	reveal.OnObject("notify::active", func(gtk.Object) {
		if reveal.Bool("active") {
			reveal.Set("icon-name", "view-conceal-symbolic")
			reveal.Label(T("Hide the password"))
			c.key.Set("subtitle", printable(string(n.Key.Bytes())))
			return
		}
		reveal.Set("icon-name", "view-reveal-symbolic")
		reveal.Label(T("Show the password"))
		c.hide()
	})
	copyKey.On("clicked", func() {
		c.root.Copy(string(n.Key.Bytes()))
		a.toast(T("The password was copied."))
	})
	if picture, ok := c.code(); ok {
		b.Get("qr").Set("paintable", picture)
		b.Get("qr").Show(true)
		picture.Unref()
	}
	return c
}

// hide puts dots in place of the key; their number tells nothing.
func (c *card) hide() { c.key.Set("subtitle", strings.Repeat("•", 10)) }

// code is the QR code.
func (c *card) code() (picture gtk.Object, ok bool) {
	if c.network.URI.IsZero() {
		return 0, false
	}
	code, err := qr.Encode(string(c.network.URI.Bytes()), qr.M)
	if err != nil { // longer than a code can be
		return 0, false
	}
	code.Scale = qrScale
	picture, err = gtk.Picture(code.PNG())
	return picture, err == nil
}

// remove takes the card off the window, and forgets the key.
func (c *card) remove(from gtk.Object) {
	from.Remove(c.root)
	c.network.Key.Wipe()
	c.network.URI.Wipe()
}
