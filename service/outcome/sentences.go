package outcome

// Case is one sentence: what happened to whom, more exactly than a Reason says it. The words are
// stable API, and words may be added: who does not know one takes the Reason.
type Case string

// The cases that are not a Reason's own. The Case of that name is for a Reason of which nothing
// more is known.
const (
	// Success.
	Received        Case = "received"
	ReceivedPartly  Case = "received-partly"
	Learned         Case = "learned"
	Configured      Case = "configured"
	Admitted        Case = "admitted"
	AdmittedThere   Case = "admitted-through-access-point"
	NothingUsable   Case = "nothing-usable"
	NothingLearned  Case = "nothing-learned"
	ShutDown        Case = "service-stopped"
	Replaced        Case = "session-replaced"
	NotConnectedYet Case = "session-replaced-handing-over"

	// A station looks for an access point, and meets one.
	RoutersOverlap      Case = "overlap-of-routers"
	WantedWithoutWPS    Case = "wanted-without-wps"
	WantedNotFound      Case = "wanted-not-found"
	NobodyPressed       Case = "nobody-pressed"
	WantedNotPressed    Case = "wanted-not-pressed"
	NobodyAsked         Case = "nobody-asked-for-pin"
	WantedDidNotAsk     Case = "wanted-did-not-ask-for-pin"
	ButtonInactive      Case = "button-inactive"
	PINUnknown          Case = "pin-unknown"
	NameUnusable        Case = "network-name-unusable"
	StrangersPIN        Case = "pin-of-another-device"
	Refused             Case = "association-refused"
	RefusedUnexplained  Case = "association-refused-unexplained"
	RefusedForItsReason Case = "association-refused-for-its-reason"
	RefusedFull         Case = "association-refused-full"
	RefusedForLater     Case = "association-refused-for-later"
	RefusedWeak         Case = "association-refused-weak"
	RefusedForAnother   Case = "association-refused-for-another"
	SupplicantClosed    Case = "wpa-supplicant-closed"
	SupplicantLinkDown  Case = "wpa-supplicant-link-down"
	NoRoomBeside        Case = "no-room-beside"
	NotConnected        Case = "manager-not-connected"
	KeyTiedToAddress    Case = "key-tied-to-address"
	KeyNoPassphrase     Case = "wpa3-key-no-passphrase"
	ManagerWithoutWPA3  Case = "manager-without-wpa3"

	// An access point is read or set up with its PIN.
	APWrongPIN       Case = "access-point-pin-wrong"
	APLocked         Case = "access-point-locked"
	APTakesNoPIN     Case = "access-point-takes-no-pin"
	APOffersNoPIN    Case = "access-point-offers-no-pin"
	APUnusable       Case = "access-point-unusable"
	APRefusedSetting Case = "access-point-refused-settings"

	// NFC.
	TagHasOtherKey    Case = "access-point-tag-other-key"
	TouchedOtherKey   Case = "touched-other-key"
	OtherTagRead      Case = "access-point-read-other-tag"
	TagHasOtherSecret Case = "access-point-tag-other-password"
	OtherPasswordRead Case = "access-point-read-other-password"
	TagNotAwaited     Case = "access-point-tag-not-awaited"
	TagNotRead        Case = "tag-not-read"
	TagNotReadInTime  Case = "tag-not-read-in-time"

	// A device is let in at an access point of this machine.
	CanceledThere    Case = "canceled-at-access-point"
	WPSOff           Case = "wps-off"
	SoftwareClosed   Case = "access-point-software-closed"
	SoftwareSilent   Case = "access-point-software-silent"
	SoftwareRefused  Case = "access-point-software-refused"
	SoftwareWithout  Case = "access-point-software-without-nfc"
	TagRefused       Case = "access-point-refused-tag"
	TaggedDidNotCome Case = "tagged-device-did-not-come"
	DevicesOverlap   Case = "overlap-of-devices"
	NoDevicePressed  Case = "no-device-pressed"
	NoDeviceCame     Case = "no-device-with-pin"
	DeviceWrongPIN   Case = "device-pin-wrong"
	DeviceFailed     Case = "device-failed"
	NoLongerAP       Case = "no-longer-access-point"
	DeviceLocked     Case = "device-pin-locked"
	DeviceSilent     Case = "device-silent"
	DeviceEnded      Case = "device-ended"

	// The External Registrar.
	SettingsUnknown      Case = "settings-unknown"
	RegistrarStopped     Case = "external-registrar-stopped"
	RegistrarUnplugged   Case = "external-registrar-interface-gone"
	NewerPIN             Case = "newer-pin"
	NetworkAPGone        Case = "network-access-point-gone"
	NetworkAPSilent      Case = "network-access-point-silent"
	NetworkAPNonsense    Case = "network-access-point-nonsense"
	NetworkAPRefused     Case = "network-access-point-refused"
	NetworkAPNotFinished Case = "network-access-point-not-finished"
)

// wrongPIN is for both halves.
const wrongPIN = "The PIN is wrong: its {half} half is not the one that was typed at the {access-point}. Compare them, type it there again, then start again."

// sentences has each sentence once: what happened and what to do now, for a person. places.go says
// what stands in the places.
var sentences = map[Case]string{
	Received:        "The network was received.",
	ReceivedPartly:  "The network was received. Left out was {left-out}.",
	Learned:         "The settings of the {access-point} were learned.",
	Configured:      "The {access-point} took the new settings.",
	Admitted:        "The device {peer} was let into the network.",
	AdmittedThere:   "The device {peer} was given the network.",
	NothingUsable:   "The {access-point} sent no network that this computer can use{flaws}. Set it to WPA2-Personal in its own settings, or join it without WPS.",
	NothingLearned:  "The {access-point} showed settings that make no network for this computer{flaws}. Set it to WPA2-Personal in its own settings, or join it without WPS.",
	ShutDown:        "wpsd was stopped: start again when it runs.",
	Replaced:        "Another session was started in its place.",
	NotConnectedYet: "The network is {kept}; another session began before {manager} was connected to it.",

	RoutersOverlap:             "The buttons of {router-count} routers are pressed at once, and nobody can tell which one is meant: {routers}. Name yours, or wait two minutes and press one button only.",
	Case(ReasonOverlap):        "The {access-point} says that a second device pressed its button at the same time: wait two minutes, then press both buttons again.",
	WantedWithoutWPS:           "The {wanted} is there, but it does not offer WPS: switch WPS on in its settings.",
	WantedNotFound:             "The {wanted} was not found: see whether it is switched on, and WPS in its settings, or move closer.",
	Case(ReasonNoAccessPoint):  "No access point with WPS was found: switch WPS on in its settings, or move closer.",
	NobodyPressed:              "Nobody pressed the button of an access point within two minutes: start again, and press it then.",
	WantedNotPressed:           "Nobody pressed the button of the {wanted} within two minutes: start again, and press it then.",
	NobodyAsked:                "No access point asked for this PIN within two minutes: start again, and type the PIN into the access point then.",
	WantedDidNotAsk:            "The {wanted} did not ask for this PIN within two minutes: start again, and type the PIN in there then.",
	Case(ReasonWalkTime):       "Time ran out before anybody took part: start again, and press the button or type the PIN then.",
	ButtonInactive:             "The button of the {access-point} is no longer active: press it again, then start again.",
	PINUnknown:                 "The {access-point} knows no PIN for this device yet: type the PIN shown here into it, then start again.",
	Case(ReasonRegistrarBusy):  "The {access-point} does not expect this device yet: press its button, or type the PIN shown here into it, then start again.",
	NameUnusable:               "The {access-point} sent a network whose name cannot be used (it is empty, or has a zero byte in it): give it another name in its settings, then start again.",
	StrangersPIN:               "The {access-point} expects a device with another PIN; the {half} half of ours is not its. If it is yours, compare the PIN that was typed there with this device's; if it is a neighbor's, name yours. Then start again.",
	Case(ReasonWrongPINFirst):  wrongPIN,
	Case(ReasonWrongPINSecond): wrongPIN,
	Case(ReasonRejected):       "The {access-point} ended the setup{error}. Start again; if it happens again, restart the access point.",
	Case(ReasonSetupLocked):    "The {access-point} has locked its WPS setup after too many wrong PINs: restart it, or unlock WPS in its settings.",
	Case(ReasonNoCredential):   "The {access-point} sent no network: look at its settings, then start again.",
	Case(ReasonBadCredential):  "The {access-point} sent a network that cannot be used: set it to WPA2-Personal with a passphrase of 8 to 63 characters.",
	Case(ReasonWPA3Only):       "The {access-point} takes WPA3 only, which WPS cannot set up: use its passphrase, or set it to WPA2/WPA3.",
	Case(ReasonBand):           "The {wanted} is in {band}, where WPS is not used: name the 2.4 or 5 GHz network of the same router instead{instead}.",
	Case(ReasonHidden):         "The {access-point} hides the name of its network, which WPS needs: let it show its name in its settings, or join with name and passphrase.",
	Case(ReasonLinkLost):       "The connection to the {access-point} was lost: move closer, then start again.",
	Case(ReasonMessageTimeout): "The {access-point} stopped answering: move closer, then start again.",
	Case(ReasonProtocolError):  "The {access-point} did not keep to the protocol: start again; if it happens again, update its firmware.",
	Case(ReasonUnsupported):    "The {access-point} has a kind of security that cannot be used here: set it to WPA2-Personal.",
	KeyNoPassphrase:            "The {access-point} takes WPA3 only, and what it gave is no passphrase, which WPA3 needs: set it to WPA2/WPA3, or use its passphrase.",

	Case(ReasonAssociationFailed): "The {access-point} did not answer when this device tried to associate: move closer, then start again.",
	Refused:                       "The {access-point} refused this device (status {status}): look at its filter of MAC addresses, then start again.",
	RefusedUnexplained:            "The {access-point} refused this device without a reason (status {status}): look at its filter of MAC addresses and at how many devices it takes, then start again.",
	RefusedForItsReason:           "The {access-point} refused this device for a reason of its own (status {status}): look at its filter of MAC addresses, then start again.",
	RefusedFull:                   "The {access-point} is full (status {status}): disconnect another device from it, then start again.",
	RefusedForLater:               "The {access-point} asked again and again to try later (status {status}): wait a minute, then start again.",
	RefusedWeak:                   "The {access-point} finds the signal of this device too weak (status {status}): move closer, then start again.",
	RefusedForAnother:             "The {access-point} wants this device to use another access point of the network (status {status}): move closer to another one, then start again.",

	Case(ReasonRadioBlocked):  "The radio is switched off: use the hardware switch, or rfkill unblock wifi, then start again.",
	Case(ReasonInterfaceBusy): "Another program uses the network interface, perhaps a wpa_supplicant without a control socket: stop it, or have it give up the interface, then start again.",
	SupplicantClosed:          "wpa_supplicant has {interface}, and its control socket is not open to wpsd: add GROUP=netdev to ctrl_interface in its configuration, have it started with -u (on D-Bus), or stop it.",
	SupplicantLinkDown:        "wpa_supplicant has {interface}, whose link is down: switch it on (ip link set {interface} up), or stop wpa_supplicant.",
	Case(ReasonInterfaceGone): "The network interface is gone: plug it in again, then start again.",
	Case(ReasonNotSupported):  "This network interface cannot do that: use another one.",
	NoRoomBeside:              "The radio has no room for a second connection beside that of {manager}: start again without keeping that, or use another network interface.",
	Case(ReasonSuspended):     "The computer went to sleep: start again.",
	Case(ReasonOwnerLeft):     "The program that started this ended before it was done: start again.",
	Case(ReasonCanceled):      "Canceled.",
	Case(ReasonInternal):      "Something went wrong inside wpsd, which is a mistake in it: its log tells more (journalctl -u wpsd).",

	Case(ReasonHandoverFailed): "The network is {kept}, but the network manager did not take it: try again, or connect by hand.",
	NotConnected:               "The network is {kept}, but {manager} did not connect to it ({manager-error}): try again, or connect by hand.",
	KeyTiedToAddress:           "The network is {kept}, but {manager} did not connect to it ({manager-error}). Its key may be tied to the address {received-with}, with which it was received: allow this computer's other addresses at the access point, too, or connect by hand.",
	ManagerWithoutWPA3:         "The network is {kept}, but its access point takes WPA3 only, and {manager} has no WPA3 (SAE) here: update it, or set the access point to WPA2/WPA3.",
	Case(ReasonNotStored):      "The network was received, and wpsd could not store it ({store-error}){connected}. Its key is kept for ten minutes: \"wpsctl credentials {session}\" shows it, and Session.GetCredentials gives it to programs.",

	APWrongPIN:       "The PIN is not the one of the {access-point}: its {half} half is wrong. Read it again from its label or its settings; after a few wrong ones it locks its setup.",
	APLocked:         "The {access-point} says that its setup is locked, so the PIN was not tried: restart it, or unlock WPS in its settings.",
	APTakesNoPIN:     "The {access-point} does not let itself be set up with a PIN: its setup is locked, it has no PIN, or it takes no new settings. Look at its WPS settings.",
	APOffersNoPIN:    "The {access-point} does not offer to be set up with a PIN: look at its WPS settings.",
	APUnusable:       "The {access-point} showed settings that make no network for this computer: set it to WPA2-Personal in its own settings.",
	APRefusedSetting: "The {access-point} refused the new settings{error}.",

	TagHasOtherKey:    "The {access-point} has another key than its tag says: read its tag again, or write it anew.",
	TouchedOtherKey:   "The {access-point} has another key than it told over NFC, so nothing was taken from it: touch again.",
	OtherTagRead:      "The {access-point} has read a tag of another device, or an old one of this device: let it read this device's tag again, then start again.",
	TagHasOtherSecret: "The {access-point} has another password than its tag says: read its tag again, or write it anew.",
	OtherPasswordRead: "The {access-point} has read another password than this device's: write this device's tag anew, and let the access point read it.",
	TagNotAwaited:     "The {access-point} does not wait for the password of the tag that was read: read its own tag, or use its PIN.",
	TagNotRead:        "The {access-point} has not read this device's tag: touch it with the tag, then start again.",
	TagNotReadInTime:  "No access point waited for this device's tag within two minutes: let the access point read the tag, then start again.",

	CanceledThere:    "Somebody else canceled it at the access point: start again.",
	WPSOff:           "WPS is switched off at the access point: set wps_state=2 in hostapd's configuration, and let its SSID be seen (ignore_broadcast_ssid=0).",
	SoftwareClosed:   "The control socket of the access point's software is not open to wpsd: add ctrl_interface_group=netdev to hostapd's configuration, or GROUP=netdev to ctrl_interface in wpa_supplicant's, restart it, then start again.",
	SoftwareSilent:   "The software of the access point (hostapd or wpa_supplicant) stopped, was restarted, or does not answer, so it lets nobody in for now: look whether it runs and has ctrl_interface set, then start again.",
	SoftwareRefused:  "The access point's software refused: look at its WPS settings and its log.",
	SoftwareWithout:  "The access point's software cannot be told of a tag: it takes a hostapd that was built with NFC. Use a PIN or the button.",
	TagRefused:       "The access point did not take the tag: look at its WPS settings and its log.",
	TaggedDidNotCome: "The device whose tag was read did not come within two minutes: start WPS on it, and read its tag again.",
	DevicesOverlap:   "Two devices pressed their buttons at the same time, and nobody can tell which one is meant: wait two minutes, then press one only.",
	NoDevicePressed:  "No device pressed its button within two minutes: start again, and press it then.",
	NoDeviceCame:     "No device with this PIN came within {timeout}: start WPS with a PIN on the device, then start again.",
	DeviceWrongPIN:   "The PIN is not that of {device}: compare it with the device's label or screen, then start again.",
	DeviceFailed:     "The setup of {device} failed{error}. Move it closer, then start again.",
	NoLongerAP:       "The interface is no longer an access point: start hostapd there again, then start this again.",
	DeviceLocked:     "The PIN is not that of {device}, and is not tried again: compare it with the device's label or screen, then start again.",
	DeviceSilent:     "The setup of {device} failed, as it stopped answering: move it closer, then start again.",
	DeviceEnded:      "The setup of {device} was ended there{error}. Start again.",

	SettingsUnknown:      "The settings of the {network-access-point} are not known, so there is nothing to give: read them first with its PIN, or set a stored network for it.",
	RegistrarStopped:     "The External Registrar was stopped while this ran: start it, then start again.",
	RegistrarUnplugged:   "The network interface is gone, and the External Registrar with it: start both again.",
	NewerPIN:             "A newer PIN for the same device took the place of this one.",
	NetworkAPGone:        "The {network-access-point} is gone from the network: see whether it is switched on, and start again once it is found.",
	NetworkAPSilent:      "The {network-access-point} does not answer over the network: see whether it is switched on, and start again.",
	NetworkAPNonsense:    "The {network-access-point} sent an answer that makes no sense: start again; if it happens again, update its firmware.",
	NetworkAPRefused:     "The {network-access-point} refused over the network (UPnP error {upnp-error}): see whether its WPS is on and whether it lets itself be set up over the network.",
	NetworkAPNotFinished: "The {network-access-point} did not finish within two minutes: start again.",
}

// refusals are the 802.11 status codes with which access points refuse devices (IEEE 802.11,
// "Status Code field"), as far as a person can do something about them.
var refusals = map[uint16]Case{
	1: RefusedUnexplained, 12: RefusedForItsReason, 17: RefusedFull, 30: RefusedForLater,
	33: RefusedFull, 34: RefusedWeak, 82: RefusedForAnother,
}

// RefusedWith is the case of an association that was refused with a status code; 0: nobody
// answered.
func RefusedWith(status uint16) Case {
	if status == 0 {
		return Case(ReasonAssociationFailed)
	}
	if c, known := refusals[status]; known {
		return c
	}
	return Refused
}
