// Package hwsim holds the scenarios that wpsd has to pass against real peers: Debian's unmodified
// hostapd and wpa_supplicant, on the kernel's simulated radios (mac80211_hwsim), in a virtual
// machine.
//
// Everything but this comment has the build tag hwsim. On a developer's machine the package is
// compiled, not run: ./run builds it together with wpsd and wpsctl, boots the virtual machine
// (./vm), and runs the test binary there as root. Outside of it every scenario skips with a reason,
// so that a machine with a real wlan0 comes to no harm.
//
// A scenario is one test function. It asks newWorld for clean radios and a recording of the air,
// starts its peers with startAP, startSupplicant and startDaemon, and needs to stop nothing: that
// is the world's work. What it left behind (logs of every process, the recording) is kept when it
// fails.
//
// The radios: wlan1 is the station under test, wlan0, wlan2 and wlan3 are access points or further
// stations. hwsim0 hears all of them.
package hwsim
