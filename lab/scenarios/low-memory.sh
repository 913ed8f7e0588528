# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A start by hand uses up the host: Xen's own signal is told, and the reserve made good by who can give.
# limit: 300
# full: builds a guest of more than a GiB

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

reserve_mib=96
left_mib=16
minimum_mib=212 # of 224: what they can give does not keep Xen from its signal, at 64 MiB

for guest in one two; do
    start_guest $guest pv 224 224
done
guests_ready one two
configure '[host]' "reserve = ${reserve_mib}m"
for guest in one two; do
    configure "[vm $guest]" 'mode = dynamic' "minimum = ${minimum_mib}m"
done
start_daemon
for guest in one two; do
    wait_until 60 "$guest reports" seen "vm $guest status" != unknown
done
settled 60
assert_equal "what was told before" "$(events host-low)" ""

hog_mib=$(($(xl_free_mib) - left_mib))
start_guest hog pv $hog_mib $hog_mib
note "hog is built, and $(xl_free_mib) MiB are free"
wait_until 10 "the host is told to be low" seen "count_events host-low" -eq 1
told=$(events host-low)
note "told: $told"
left=$(echo "$told" | sed -n 's/.*hypervisor=low free_kib=\([0-9]*\) claimed_kib=\([0-9]*\).*/\1 \2/p' | awk '{ print $1 - $2 }')
assert_between "KiB that were free and not claimed at Xen's signal" "$left" 0 $((64 * 1024))
for guest in one two; do
    assert_equal "target of $guest" "$(target_kib $guest)" $((minimum_mib * 1024))
    assert_between "actions about $guest" "$(count_events action $guest)" 1 9
done

ctl set one minimum=96m
ctl set two minimum=96m
wait_until 60 "the reserve is whole again" seen "xl_free_mib" -ge $reserve_mib
wait_until 60 "the promise is said to be kept again" seen "count_events invariant-restored" -ge 1
wait_until 60 "the host is told to be well" seen "count_events host-ok" -eq 1
