// Package nl80211 is the driver for the radios of the Linux kernel: it scans and associates through
// nl80211 (generic netlink), brings links up and down through route netlink, and reads rfkill.
//
// It does what a Wi-Fi Protected Setup station needs and no more: open associations, EAPOL frames,
// scans. The kernel's own SME does authentication and association (NL80211_CMD_CONNECT), which
// mac80211 and radios that do all of it in firmware offer alike.
//
// Sockets: a Driver has one for questions (queries), one for nl80211's configuration events and one
// for route netlink's. Each open Station adds one for its commands and their events (port). Nothing
// here polls; without an open Station the kernel wakes us up only when interfaces or switches
// change.
//
// What comes from the kernel comes in part from the air: parsers take nothing for granted, bound
// what they keep, and copy it.
package nl80211
