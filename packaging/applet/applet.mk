# The applet (cmd/wps-applet): a program of its own, which the daemon's package is free of. It is built without the libraries
# that it opens when it runs: libgtk-4-1, libadwaita-1-0.
.PHONY: applet install-applet demo-applet screenshots test-applet

APPLETDIR := build/applet

applet: need-go ## build/applet: wps-applet, its icons and translations, as they are installed
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(APPLETDIR)/bin/wps-applet ./cmd/wps-applet
	rm -rf $(APPLETDIR)/share
	install -d $(APPLETDIR)/share
	cp -r packaging/applet/icons $(APPLETDIR)/share/icons

demo-applet: applet build ## open the applet on simulated access points; needs a display
	@test/needs dbus-daemon:dbus-daemon
	@test/applet/demo build

test-applet: applet build ## drive the applet by its accessibility tree, on a screen that nobody sees
	@test/applet/run

screenshots: applet build ## pictures of the applet's pages, in build/screenshots
	@test/applet/run --pictures build/screenshots
