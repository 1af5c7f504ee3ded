# The applet (cmd/wps-applet): a program of its own, which the daemon's package is free of. It is built without the libraries
# that it opens when it runs: libgtk-4-1, libadwaita-1-0.
.PHONY: applet applet-made-of install-applet uninstall-applet install-applet-files deb-applet demo-applet screenshots test-applet

APPLETDIR := build/applet
AUTOSTARTDIR ?= $(SYSCONFDIR)/xdg/autostart

applet: need-go ## build/applet: wps-applet, its icons and translations, as they are installed
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(APPLETDIR)/bin/wps-applet ./cmd/wps-applet
	rm -rf $(APPLETDIR)/share
	install -d $(APPLETDIR)/share
	cp -r packaging/applet/icons $(APPLETDIR)/share/icons
	$(HERE) ./po/catalog --mo $(APPLETDIR)/share/locale

# What it is made of, and the licenses of that, as sbom and notices have it of the other programs.
applet-made-of: applet
	$(SBOM) $(APPLETDIR)/bin/wps-applet > $(APPLETDIR)/wps-applet.spdx.json
	packaging/notices $(APPLETDIR)/bin/wps-applet > $(APPLETDIR)/notices.txt

# As with make install: what is built already is installed where there is no go.
install-applet: install-applet-files ## the applet into DESTDIR, prefix (/usr/local)
	@[ -n "$(DESTDIR)" ] || ! command -v gtk4-update-icon-cache > /dev/null || gtk4-update-icon-cache -qtf $(PREFIX)/share/icons/hicolor || :

install-applet-files: $(if $(shell command -v go),applet)
	install -D -m 755 $(APPLETDIR)/bin/wps-applet $(DESTDIR)$(PREFIX)/bin/wps-applet
	install -D -m 644 packaging/applet/fi.w1.wps.Applet.desktop $(DATADIR)/applications/fi.w1.wps.Applet.desktop
	install -D -m 644 packaging/applet/fi.w1.wps.Applet.metainfo.xml $(DATADIR)/metainfo/fi.w1.wps.Applet.metainfo.xml
	install -D -m 644 packaging/applet/fi.w1.wps.Applet-autostart.desktop $(DESTDIR)$(AUTOSTARTDIR)/fi.w1.wps.Applet.desktop
	install -D -m 644 packaging/applet/wps-applet.1 $(DATADIR)/man/man1/wps-applet.1
	cd $(APPLETDIR)/share && find icons locale -type f -exec install -D -m 644 {} $(abspath $(DATADIR))/{} \;

uninstall-applet: ## takes away what make install-applet has put there
	rm -f $(DESTDIR)$(PREFIX)/bin/wps-applet $(DATADIR)/applications/fi.w1.wps.Applet.desktop \
	  $(DATADIR)/metainfo/fi.w1.wps.Applet.metainfo.xml $(DESTDIR)$(AUTOSTARTDIR)/fi.w1.wps.Applet.desktop \
	  $(DATADIR)/man/man1/wps-applet.1 $(DATADIR)/icons/hicolor/*/apps/fi.w1.wps.Applet*.svg \
	  $(DATADIR)/locale/*/LC_MESSAGES/wps-applet.mo

deb-applet: ## build/wps-applet_VERSION_ARCH.deb
	packaging/applet/deb $(VERSION)

demo-applet: applet build ## open the applet on simulated access points; needs a display
	@test/needs dbus-daemon:dbus-daemon
	@test/applet/demo build

test-applet: applet build ## drive the applet by its accessibility tree, on a screen that nobody sees
	@test/applet/run

screenshots: applet build ## pictures of the applet's pages, in build/screenshots; three of them stand in README.md
	@test/applet/run --pictures build/screenshots
	@test/applet/pick build/screenshots packaging/applet/screenshots
