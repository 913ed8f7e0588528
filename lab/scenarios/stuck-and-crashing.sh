# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest that is paused, and one that crashes during the squeeze, do not keep others from their memory.
# limit: 420
# full: the boots of four guests

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

three_full_guests

xl pause one
wait_until 30 "it is seen" seen "vm one state" = paused
paused=$(target_kib one)

# Of 72 MiB two should give more than 30; it crashes once it has given 8, and three makes up for it.
held=/sys/devices/system/xen_memory/xen_memory0/info/current_kb
load two "run { while [ \$(cat $held) -gt $((168 * 1024)) ]; do sleep 0.01; done; echo c >/proc/sysrq-trigger; } >/dev/null 2>&1 &"
begin=$(now)
id=$(ctl reserve 72m)
note "granted after $(since "$begin") s"
grep -q 'Kernel panic' /var/log/xen/console/guest-two.log || fail "two has not crashed"
wait_until 30 "two is gone" seen "vm two state" = off
gone_with=$(events vm-gone two | sed -n 's/.* assigned_kib=\([0-9]*\).*/\1/p')
note "two had $gone_with KiB when it was gone"
assert_between "KiB that two still had" "$gone_with" $((148 * 1024)) $((176 * 1024))
assert_between "MiB of three, which made up for it" "$(xl_mib three)" 96 138
ctl release "$id"

# What two had is kept for its reboot for a while, and then is anybody's.
write_guest new pv 128 128
begin=$(now)
ctl start /tmp/new.cfg --wait 90s >/tmp/new.out 2>&1 || fail "the start: $(tail -n 1 /tmp/new.out)"
note "new is built after $(since "$begin") s"
guests_ready new
assert_equal "target of the paused one" "$(target_kib one)" "$paused"
xl unpause one
assert_safe three new
