# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest that is paused, and one that crashes during the squeeze, do not keep a start from its memory.
# limit: 420
# full: the boots of four guests

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

three_full_guests

xl pause one
wait_until 30 "it is seen" seen "vm one state" = paused
paused=$(target_kib one)
# Once it has given 8 MiB of the 50 that are needed of it at least, for three has no more than 80.
held=/sys/devices/system/xen_memory/xen_memory0/info/current_kb
load two "run { while [ \$(cat $held) -gt $((168 * 1024)) ]; do sleep 0.01; done; echo c >/proc/sysrq-trigger; } >/dev/null 2>&1 &"
write_guest new pv 128 128
ctl start /tmp/new.cfg >/tmp/new.out 2>&1 &
starter=$!
code=0
wait $starter || code=$?
note "$(cat /tmp/new.out)"
assert_equal "exit code of the start" $code 0
grep -q 'Kernel panic' /var/log/xen/console/guest-two.log || fail "two has not crashed"
wait_until 30 "two is gone" seen "vm two state" = off
guests_ready new
assert_equal "target of the paused one" "$(target_kib one)" "$paused"
xl unpause one
assert_safe three new
