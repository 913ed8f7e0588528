# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest reboots after it was ballooned down: its memory is kept for it, and it is raised to its startup.
# limit: 300
# full: make check-xen has six minutes in all

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest reboots pv 192 256
start_guest other pv 128 256
guests_ready reboots other
leave_free 8
configure "[vm *]" "mode = dynamic" "minimum = 96m" "startup = 128m" "maximum = 256m"
start_daemon
for guest in reboots other; do
    wait_until 60 "$guest reports" seen "vm $guest status" != unknown
done
raise_load other 55 70 85 100
note "before the reboot: $(xl_mib reboots) MiB, other $(xl_mib other) MiB"
held=$(xl_mib reboots)
assert_between "what it was ballooned down to" "$held" 95 185
id=$(domid reboots)
begin_load other "anon 130"
xl reboot reboots
wait_until 90 "reboots has another id" seen "domid reboots" -gt "$id"
guests_ready reboots
assert_between "what it was built with" "$(xl_mib reboots)" 95 $((held + 4))
assert_between "events of what was kept" "$(count_events reservation-granted reboots)" 1 9
wait_until 60 "nothing is kept any more" seen kept -eq 0
wait_until 90 "it is at least at its minimum" seen "target_kib reboots" -ge $((96 * 1024))
assert_safe reboots
