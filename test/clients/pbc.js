#!/usr/bin/gjs -m
// pbc.js INTERFACE: joins a network by push button, with GJS. Ends with 0 if that worked.
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';

const bus = Gio.bus_get_sync(Gio.BusType.SYSTEM, null);
const loop = new GLib.MainLoop(null, false);
const text = bytes => new TextDecoder().decode(Uint8Array.from(bytes));
let session = null, status = 1;

function call(path, method, args = null) {
    const dot = method.lastIndexOf('.');
    return bus.call_sync('fi.w1.wps', path, method.slice(0, dot), method.slice(dot + 1), args, null,
        Gio.DBusCallFlags.NONE, -1, null).recursiveUnpack();
}

const properties = (path, name) => call(path, 'org.freedesktop.DBus.Properties.GetAll',
    new GLib.Variant('(s)', [`fi.w1.wps.${name}`]))[0];

bus.signal_subscribe('fi.w1.wps', null, null, null, null, Gio.DBusSignalFlags.NONE,
    (_bus, _sender, path, _name, member, variant) => {
        const args = variant.recursiveUnpack();
        if (member === 'AccessPointAvailable')
            print('flags', args[1], text(properties(args[0], 'AccessPoint').Ssid));
        if (path !== session)
            return;
        if (member === 'PropertiesChanged' && 'Step' in args[1])
            print(args[1].Step, `${Math.round(100 * properties(path, 'Session').Progress)} %`);
        if (member === 'Failed')
            print('failed', args[0], args[2]);
        if (member === 'Succeeded') {
            for (const one of call(path, 'fi.w1.wps.Session.GetCredentials')[0])
                print('network', text(one.ssid), one.auth);
            status = 0;
        }
        if (member === 'Failed' || member === 'Succeeded')
            loop.quit();
    });

function countdown() {
    let left;
    try {
        left = properties(session, 'Session').DeadlineMonotonic - GLib.get_monotonic_time();
    } catch (e) { // wpsd was stopped, and another one knows nothing of the session
        print('failed', e.message);
        loop.quit();
        return GLib.SOURCE_REMOVE;
    }
    print(`press the button: ${Math.floor(left / 1e6)} s left`);
    return GLib.SOURCE_CONTINUE;
}

const objects = call('/fi/w1/wps', 'org.freedesktop.DBus.ObjectManager.GetManagedObjects')[0];
for (const [, faces] of Object.entries(objects)) {
    const ap = faces['fi.w1.wps.AccessPoint'];
    if (ap)
        print('router', ap.Router, ap.Usable, ap.Why);
}
session = call(`/fi/w1/wps/interfaces/${ARGV[0]}`, 'fi.w1.wps.Interface.StartPbc',
    new GLib.Variant('(a{sv})', [{}]))[0];
countdown();
GLib.timeout_add_seconds(GLib.PRIORITY_DEFAULT, 1, countdown);
loop.run();
System.exit(status);
