#!/usr/bin/python3
"""pbc.py INTERFACE: joins a network by push button, with Gio. Ends with 0 if that worked."""
import sys
from gi.repository import Gio, GLib

bus, loop, status = Gio.bus_get_sync(Gio.BusType.SYSTEM), GLib.MainLoop(), 1
interface, session = "/fi/w1/wps/interfaces/" + sys.argv[1], None


def call(path, method, args=None):
    name, _, member = method.rpartition(".")
    return bus.call_sync("fi.w1.wps", path, name, member, args, None, Gio.DBusCallFlags.NONE, -1, None).unpack()


def properties(path, name):
    return call(path, "org.freedesktop.DBus.Properties.GetAll", GLib.Variant("(s)", ("fi.w1.wps." + name,)))[0]


def heard(_bus, _sender, path, _name, member, args):
    global status
    if member == "AccessPointAvailable":  # a button was pressed, perhaps
        print("flags", args[1], bytes(properties(args[0], "AccessPoint")["Ssid"]).decode(errors="replace"))
    if path != session:
        return
    if member == "PropertiesChanged" and "Step" in args[1]:
        print(args[1]["Step"], "%d %%" % (100 * properties(path, "Session")["Progress"]))
    elif member == "Failed":
        print("failed", args[0], args[2])
        loop.quit()
    elif member == "Succeeded":
        for one in call(path, "fi.w1.wps.Session.GetCredentials")[0]:
            print("network", bytes(one["ssid"]).decode(errors="replace"), one["auth"])
        status = 0
        loop.quit()


def countdown():
    try:
        left = properties(session, "Session")["DeadlineMonotonic"] - GLib.get_monotonic_time()
    except GLib.Error as e:  # wpsd was stopped, and another one knows nothing of the session
        print("failed", e.message)
        loop.quit()
        return False
    print("press the button: %d s left" % (left / 1e6))
    return True


bus.signal_subscribe("fi.w1.wps", None, None, None, None, Gio.DBusSignalFlags.NONE,
                     lambda *a: heard(*a[:5], a[5].unpack()))
for path, faces in call("/fi/w1/wps", "org.freedesktop.DBus.ObjectManager.GetManagedObjects")[0].items():
    if ap := faces.get("fi.w1.wps.AccessPoint"):
        print("router", ap["Router"], ap["Usable"], ap["Why"])
session = call(interface, "fi.w1.wps.Interface.StartPbc", GLib.Variant("(a{sv})", ({},)))[0]
countdown()
GLib.timeout_add_seconds(1, countdown)
loop.run()
sys.exit(status)
