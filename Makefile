# wpsd. Each target sets up what it needs: Go modules by go, Debian packages by test/needs (as root; else it says which).
# Which Go is needed stands in go.mod; packaging/need-go says so if it is older.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all

VERSION ?= $(shell packaging/version)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
# Manual pages and completions come from the programs, which have to run here also when they are made for elsewhere.
HERE := GOOS= GOARCH= GOARM= CGO_ENABLED=0 go run -trimpath
LDFLAGS := -s -w -X main.version=$(VERSION)

# Where there is no home to write to, caches are kept here.
ifeq ($(shell test -w "$$HOME" && echo yes),)
export XDG_CACHE_HOME ?= $(CURDIR)/build/.cache
export GOMODCACHE ?= $(CURDIR)/build/.cache/modules
export GOFLAGS += -modcacherw
endif

prefix ?= /usr/local
PREFIX ?= $(prefix)
SYSCONFDIR ?= /etc
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
DATADIR := $(DESTDIR)$(PREFIX)/share
UNITDIR ?= $(PREFIX)/lib/systemd/system
USERUNITDIR ?= $(PREFIX)/lib/systemd/user
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
# dbus-daemon, polkit and NetworkManager look at these places only, wherever the rest is.
BUSPOLICYDIR ?= /usr/share/dbus-1/system.d
BUSSERVICEDIR ?= /usr/share/dbus-1/system-services
POLKITDIR ?= /usr/share/polkit-1/actions
POLKITRULESDIR ?= /usr/share/polkit-1/rules.d
NETWORKMANAGERDIR ?= /usr/lib/NetworkManager/conf.d

.PHONY: all pages already-built install-files dist help build nfc_pw_token need-go check static lint test demo bench bench-er fuzz hwsim hwsim-systemd matrix matrix-smoke hwsim-compare install uninstall deb sbom notices clean

include packaging/applet/applet.mk

help: ## show this list
	@grep -hE '^[a-z_-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

all: build pages ## the programs, and what is installed with them

need-go:
	@packaging/need-go

build: nfc_pw_token ## build/wpsd, build/wpsd-sim, build/wpsctl and build/nfc_pw_token
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o build/ ./cmd/wpsd ./cmd/wpsctl
	CGO_ENABLED=0 go build -tags sim -trimpath -ldflags '$(LDFLAGS)' -o build/wpsd-sim ./cmd/wpsd

nfc_pw_token: need-go ## build/nfc_pw_token, which makes NFC password tokens for manufacturing
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o build/nfc_pw_token ./cmd/nfc-pw-token

pages: need-go ## manual pages and completions, in build/share
	rm -rf build/share
	$(HERE) ./packaging/manual packaging/wpsd.conf build/share/man
	$(HERE) -ldflags '$(LDFLAGS)' ./cmd/wpsctl man build/share/man/man1
	$(HERE) -ldflags '$(LDFLAGS)' ./cmd/nfc-pw-token man build/share/man/man1
	for shell in bash zsh fish; do $(HERE) ./cmd/wpsctl completion $$shell > build/share/wpsctl.$$shell; done

demo: build ## join simulated networks, without root or radio
	@test/needs dbus-daemon:dbus-daemon busctl:systemd
	@test/demo build

check: static lint ## the quick loop: formatting, vet, staticcheck, unit tests; manual pages, completions and the RPM spec
	CGO_ENABLED=0 go test ./...

static: need-go
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted" >&2; exit 1; }
	go vet ./...
	go vet -tags hwsim,applet,clients ./...
	go run $(STATICCHECK) ./...
	go run $(STATICCHECK) -tags hwsim,applet,clients ./...

lint: need-go ## manual pages by mandoc, completions by their shells, the RPM spec by rpmlint, as far as these are there
	@packaging/lint

test: need-go ## everything: check, race detector, real peers in a virtual machine, fuzz targets
	@test/needs gcc:gcc /usr/include/stdlib.h:libc6-dev dbus-daemon:dbus-daemon busctl:systemd script:bsdutils
	@test/all

hwsim: ## real hostapd and wpa_supplicant in a virtual machine; SCENARIO=name for some
	test/hwsim/run $(SCENARIO)

hwsim-systemd: ## the Debian package under a real systemd; SCENARIO=name for some
	test/hwsim/run --systemd $(SCENARIO)

RELEASES ?= trixie forky
# A root has no udev by itself, which gives devices their groups and which NetworkManager waits for.
matrix: ## hwsim and hwsim-systemd with the kernel, bus and peers of other Debian releases; RELEASES="trixie forky", SCENARIO=name for some
	failed=; for release in $(RELEASES); do \
	  test/hwsim/release $$release test/needs udevadm:udev || exit; \
	  test/hwsim/run --release $$release $(SCENARIO) || failed+=" $$release"; \
	  test/hwsim/run --release $$release --systemd || failed+=" $$release-systemd"; \
	done; [ -z "$$failed" ] || { echo "FAILED:$$failed" >&2; exit 1; }

matrix-smoke: ## boot, push button, PIN, Learn, External Registrar, NetworkManager, iwd, wpa_cli and the package under systemd, with the first of RELEASES
	test/hwsim/run --release $(firstword $(RELEASES)) --smoke
	test/hwsim/run --release $(firstword $(RELEASES)) --systemd 'PushButton$$'

hwsim-compare: ## wpsd and wpa_supplicant side by side in virtual time
	test/hwsim/compare

bench: ## benchmarks, and Diffie-Hellman beside OpenSSL
	@test/needs gcc:gcc /usr/include/stdlib.h:libc6-dev /usr/include/openssl/dh.h:libssl-dev
	go test -run '^$$' -bench . -benchmem ./...
	go run ./test/dhcompare
	@$(MAKE) --no-print-directory bench-er

bench-er: build ## the External Registrar beside wpa_supplicant, and with a thousand simulated access points: CPU, memory, a flood
	@test/needs dbus-daemon:dbus-daemon ip:iproute2 wpa_supplicant:wpasupplicant
	go run ./test/erscale -programs build

FUZZTIME ?= 60s
fuzz: ## every fuzz target for FUZZTIME (60s); FUZZ=pattern for some
	@go build -o build/tally ./test/tally
	test/fuzz $(FUZZTIME) $(FUZZ) | build/tally

install: install-files ## into DESTDIR, prefix (/usr/local); without DESTDIR it makes D-Bus start wpsd at the first call
	@DESTDIR=$(DESTDIR) packaging/activate

uninstall: ## takes away what make install has put there; what wpsd has stored and its configuration stay
	@PREFIX=$(PREFIX) packaging/deactivate

# sudo has another PATH than who has built, often without go: what is built already is installed then.
install-files: $(if $(shell command -v go),all,already-built)
	install -D -m 755 build/wpsd $(DESTDIR)$(SBINDIR)/wpsd
	install -D -m 755 build/wpsd-sim $(DESTDIR)$(PREFIX)/bin/wpsd-sim
	install -D -m 755 build/wpsctl $(DESTDIR)$(PREFIX)/bin/wpsctl
	install -D -m 755 build/nfc_pw_token $(DESTDIR)$(PREFIX)/bin/nfc_pw_token
	install -D -m 644 packaging/fi.w1.wps.conf $(DESTDIR)$(BUSPOLICYDIR)/fi.w1.wps.conf
	install -D -m 644 packaging/fi.w1.wps.policy $(DESTDIR)$(POLKITDIR)/fi.w1.wps.policy
	install -D -m 644 packaging/wpsd-networkmanager.conf $(DESTDIR)$(NETWORKMANAGERDIR)/wpsd.conf
	install -D -m 644 packaging/fi.w1.wps.service $(DESTDIR)$(BUSSERVICEDIR)/fi.w1.wps.service
	install -d $(DESTDIR)$(UNITDIR)
	install -D -m 644 packaging/fi.w1.wps.rules $(DESTDIR)$(POLKITRULESDIR)/fi.w1.wps.rules
	for unit in packaging/wpsd*.service packaging/wpsd*.socket; do sed 's|@SBINDIR@|$(SBINDIR)|g; s|@BINDIR@|$(BINDIR)|g' $$unit > $(DESTDIR)$(UNITDIR)/$${unit##*/}; done
	install -d $(DESTDIR)$(USERUNITDIR)
	sed 's|@BINDIR@|$(BINDIR)|g' packaging/user/wpsd-nm-agent.service > $(DESTDIR)$(USERUNITDIR)/wpsd-nm-agent.service
	install -D -m 644 packaging/wpsd.sysusers $(DESTDIR)$(SYSUSERSDIR)/wpsd.conf
	install -D -m 644 packaging/wpsd.tmpfiles $(DESTDIR)$(TMPFILESDIR)/wpsd.conf
	install -d $(DESTDIR)$(SYSCONFDIR)/wpsd/hooks.d
	[ -e $(DESTDIR)$(SYSCONFDIR)/wpsd/button.conf ] || install -D -m 644 packaging/button.conf $(DESTDIR)$(SYSCONFDIR)/wpsd/button.conf
	[ -e $(DESTDIR)$(SYSCONFDIR)/wpsd/wpsd.conf ] || install -D -m 644 packaging/wpsd.conf $(DESTDIR)$(SYSCONFDIR)/wpsd/wpsd.conf
	install -d $(DATADIR)/dbus-1/interfaces
	install -m 644 build/share/man/interfaces/fi.w1.wps.*.xml $(DATADIR)/dbus-1/interfaces/
	install -D -m 644 packaging/wpsd.8 $(DATADIR)/man/man8/wpsd.8
	install -d $(DATADIR)/man/man1 && echo '.so man8/wpsd.8' > $(DATADIR)/man/man1/wpsd-sim.1
	for n in 1 5 7; do install -d $(DATADIR)/man/man$$n && install -m 644 build/share/man/man$$n/* $(DATADIR)/man/man$$n; done
	install -D -m 644 build/share/wpsctl.bash $(DATADIR)/bash-completion/completions/wpsctl
	install -D -m 644 build/share/wpsctl.zsh $(DESTDIR)$(ZSHDIR)/_wpsctl
	install -D -m 644 build/share/wpsctl.fish $(DATADIR)/fish/vendor_completions.d/wpsctl.fish

already-built:
	@[ -e build/wpsd ] && [ -e build/share/wpsctl.fish ] || packaging/need-go

SBOM = SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2> /dev/null || stat -c %Y VERSION)} $(HERE) ./packaging/sbom $(VERSION) go.sum
sbom: build/wpsd.spdx.json ## build/wpsd.spdx.json: what the programs are made of, as SPDX

build/wpsd.spdx.json: build
	$(SBOM) build/wpsd build/wpsctl build/wpsd-sim build/nfc_pw_token > $@

notices: build ## build/notices.txt: the licenses of what is linked into the programs, which go with them
	packaging/notices build/wpsd build/wpsctl build/wpsd-sim build/nfc_pw_token > build/notices.txt

deb: ## build/wpsd_VERSION_ARCH.deb, for the machine or GOARCH; needs nothing but Go and dpkg
	packaging/deb/build $(VERSION)

dist: need-go ## build/wpsd-VERSION.tar.gz, the source with the modules that it is built from
	@packaging/dist $(VERSION)

clean: ## remove what was built
	rm -rf build
