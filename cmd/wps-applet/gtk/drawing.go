package gtk

import "math"

// Drawing is what a drawing area is drawn on, while it is.
type Drawing struct {
	cr            uintptr
	Width, Height float64
}

// Ring draws a ring, of which this fraction is filled, from the top on, clockwise, in the colors of
// the widget that it is on: the accent color where the theme names one, and the text's.
func (d Drawing) Ring(on Object, fraction float64) {
	style := c.widgetGetStyleContext(on)
	var text, accent [4]float32
	c.styleContextGetColor(style, &text)
	if !c.styleContextLookup(style, "accent_color", &accent) {
		accent = text
	}
	const width = 10
	x, y := d.Width/2, d.Height/2
	radius := min(x, y) - width/2 - 1
	c.cairoSetLineWidth(d.cr, width)
	c.cairoSetLineCap(d.cr, 1) // round
	c.cairoSetSource(d.cr, float64(text[0]), float64(text[1]), float64(text[2]), 0.15)
	c.cairoArc(d.cr, x, y, radius, 0, 2*math.Pi)
	c.cairoStroke(d.cr)
	if fraction <= 0 {
		return
	}
	c.cairoSetSource(d.cr, float64(accent[0]), float64(accent[1]), float64(accent[2]), 1)
	top := -math.Pi / 2
	c.cairoNewPath(d.cr)
	c.cairoArc(d.cr, x, y, radius, top, top+2*math.Pi*min(fraction, 1))
	c.cairoStroke(d.cr)
}
