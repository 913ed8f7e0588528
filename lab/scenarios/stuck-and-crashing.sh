# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest that is paused, and one that crashes during the squeeze, do not keep a start from its memory.
# limit: 420
# full: the boots of four guests

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

for guest in one two three; do
    start_guest $guest pv 176 192
done
guests_ready one two three
leave_free 8
configure "[vm *]" "mode = dynamic" "minimum = 96m" "priority = 30"
start_daemon
for guest in one two three; do
    wait_until 60 "$guest reports" seen "vm $guest status" != unknown
done
settled 60

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
