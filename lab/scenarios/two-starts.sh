# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two starts at once for memory that suffices for one: one succeeds, the other is refused, neither is half-built.
# limit: 300
# full: the boots of five guests

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

three_full_guests

# Three guests can give 240 MiB together.
write_guest left pv 176 176
write_guest right pv 176 176
ctl start /tmp/left.cfg >/tmp/left.out 2>&1 &
left=$!
ctl start /tmp/right.cfg >/tmp/right.out 2>&1 &
right=$!
left_code=0 right_code=0
wait $left || left_code=$?
wait $right || right_code=$?
note "left: $left_code $(cat /tmp/left.out)"
note "right: $right_code $(cat /tmp/right.out)"
assert_equal "exit codes, the smaller first" "$(printf '%s\n' $left_code $right_code | sort | tr '\n' ' ')" "0 3 "
winner=left loser=right
[ $left_code = 0 ] || { winner=right loser=left; }
guests_ready $winner
assert_equal "the domain that was refused" "$(domid $loser)" ""
assert_safe one two three $winner
