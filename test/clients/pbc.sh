#!/bin/sh
# pbc.sh INTERFACE: joins a network by push button, with nothing but gdbus. Ends with 0 if that worked.
set -u
interface=/fi/w1/wps/interfaces/$1 session=none
call() { gdbus call --system --dest fi.w1.wps --object-path "$1" --method "$2" "$3"; }
get() { gdbus call --system --dest fi.w1.wps --object-path "$1" --method org.freedesktop.DBus.Properties.Get "$2" "$3"; }
path() { printf '%s\n' "$1" | sed -n "s|.*\(/fi/w1/wps/$2/[A-Za-z0-9_]*\).*|\1|p"; }
gone() { echo "failed wpsd was stopped"; exit 1; }
number() { printf '%s\n' "$1" | sed 's/.*uint64 \([0-9]*\).*/\1/'; }
gdbus call --system --dest fi.w1.wps --object-path /fi/w1/wps --method org.freedesktop.DBus.ObjectManager.GetManagedObjects |
  grep -o "'Bssid': <'[^']*'>" | sed "s/.*<'\(.*\)'>/router \1/"
lines=$(mktemp -u) && mkfifo -m 600 "$lines"
gdbus monitor --system --dest fi.w1.wps > "$lines" &
trap 'kill $!; rm -f "$lines"' EXIT
while read -r line; do
  case $line in
  *"is owned by"* | *"does not have an owner"*)
    if [ "$session" != none ]; then # a wpsd that nobody needed may have left before ours came: the session knows
      get "$session" fi.w1.wps.Session State > /dev/null || gone
      continue
    fi # from now on nothing is missed; a caller that leaves the bus has to say that the session goes on
    session=$(path "$(call "$interface" fi.w1.wps.Interface.StartPbc "{'detach': <true>}")" sessions)
    [ -n "$session" ] || exit 1
    end=$(get "$session" fi.w1.wps.Session DeadlineMonotonic) || gone
    left=$(($(number "$end") / 1000000 - $(cut -d. -f1 /proc/uptime)))
    echo "press the button: $left s left" ;;
  *AccessPointAvailable*) echo "flags ${line##*, }" ;;
  "$session:"*"'Step': <'"*) printf '%s\n' "$line" | sed "s/.*'Step': <'\([^']*\)'>.*/\1/" ;;
  "$session:"*Session.Succeeded*)
    echo "network $(get "$(path "$line" networks)" fi.w1.wps.Network Ssid | sed 's/.*\[\(.*\)\].*/\1/')"
    exit 0 ;;
  "$session:"*Session.Failed*) printf '%s\n' "failed ${line##*Session.Failed}"; exit 1 ;;
  esac
done < "$lines"
