# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest's root that lets its balloon out against its target is stopped by its cap.
# limit: 240
# full: about one guest that does not behave

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest greedy pv 200 256
guests_ready greedy
configure "[vm *]" "mode = dynamic"
start_daemon
ctl set greedy minimum=100m startup=144m maximum=144m
wait_until 60 "its target is its maximum" seen "target_kib greedy" -eq $((144 * 1024))
wait_until 60 "it has followed" seen "xl_mib greedy" -le 145
settled 60
cap=$(xen_cap_kib greedy)
assert_between "its cap" "$cap" $((144 * 1024)) $((146 * 1024))
empty_balloon() { # KIB
    load greedy "run echo $1 >/sys/devices/system/xen_memory/xen_memory0/target_kb"
}
empty_balloon 256000
wait_until 30 "it takes all that its cap allows" seen "vm greedy assigned_kib" -eq "$cap"
sleep 15
assert_equal "what it has by now" "$(vm greedy assigned_kib)" "$cap"
assert_equal "its cap by now" "$(xen_cap_kib greedy)" "$cap"
assert_safe greedy

# It was the cap and nothing else.
kill_daemon
xl mem-max greedy 256
empty_balloon 255000
wait_until 60 "without that cap it takes the rest" seen "xl_mib greedy" -ge 249
