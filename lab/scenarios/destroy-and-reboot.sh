# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest that is destroyed, and one that reboots, are followed; settings stay with the name.
# limit: 240

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest goes pv 128 160
start_guest reboots pv 160 256
guests_ready goes reboots
start_daemon
ctl set goes mode=dynamic minimum=100m startup=128m maximum=160m
ctl set reboots mode=dynamic minimum=100m startup=128m maximum=144m priority=60
wait_until 60 "reboots is within its maximum" seen "vm reboots target_kib" -eq $((144 * 1024))
wait_until 60 "reboots has followed" seen "xl_mib reboots" -le 145
settled 60

free=$(host free_kib)
xl destroy goes
wait_until 60 "goes is off" seen "vm goes state" = off
assert_equal "id of goes" "$(vm goes id)" null
assert_equal "minimum of goes" "$(vm goes minimum_kib)" $((100 * 1024))
wait_until 60 "its memory is back" seen "host free_kib" -ge $((free + 127 * 1024))
assert_between "events of its going" "$(count_events vm-gone goes)" 1 1

id=$(domid reboots)
begin=$(now)
xl reboot reboots
wait_until 90 "reboots has another id" seen "domid reboots" -gt "$id"
guests_ready reboots
note "rebooted after $(since "$begin") s"
wait_until 60 "reboots is seen to run" seen "vm reboots state" = running
assert_equal "id of reboots" "$(vm reboots id)" "$(domid reboots)"
assert_equal "priority of reboots" "$(vm reboots priority)" 60
settled 60
assert_between "target of reboots" "$(vm reboots target_kib)" $((128 * 1024)) $((144 * 1024))
assert_equal "assigned MiB of reboots" $(($(vm reboots assigned_kib) / 1024)) "$(xl_mib reboots)"
assert_between "cap of reboots" "$(xen_cap_kib reboots)" $((128 * 1024)) $((146 * 1024))
assert_equal "overrides seen" "$(events override-seen)" ""
