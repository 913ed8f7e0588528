# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# The operator's own xl mem-set is seen, honoured even below the minimum, and taken back on request.
# limit: 180

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest web pv 160 256
guests_ready web
start_daemon
ctl set web mode=dynamic minimum=150m startup=160m maximum=256m
settled 60
assert_equal "overridden" "$(vm web overridden)" false

begin=$(now)
xl mem-set web 136
wait_until 30 "the override is seen" seen "vm web overridden" = true
note "seen after $(since "$begin") s"
assert_equal "target" "$(vm web target_kib)" $((136 * 1024))
wait_until 60 "the guest follows" seen "xl_mib web" -eq 136
settled 60
sleep 5
assert_equal "target, a while later" "$(target_kib web)" $((136 * 1024))
assert_equal "events" "$(count_events override-seen web)" 1

ctl balance --clear-overrides
wait_until 60 "it is back within its settings" seen "vm web target_kib" -ge $((150 * 1024))
assert_equal "overridden" "$(vm web overridden)" false
wait_until 60 "the guest follows" seen "xl_mib web" -ge 150
