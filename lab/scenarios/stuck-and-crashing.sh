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
write_guest new pv 128 128
ctl start /tmp/new.cfg >/tmp/new.out 2>&1 &
starter=$!
wait_until 60 "two is being squeezed" seen "target_kib two" -lt $((176 * 1024))
xl destroy two
code=0
wait $starter || code=$?
note "$(cat /tmp/new.out)"
assert_equal "exit code of the start" $code 0
guests_ready new
assert_equal "target of the paused one" "$(target_kib one)" "$paused"
xl unpause one
assert_safe three new
