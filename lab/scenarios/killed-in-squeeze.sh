# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon is killed in the middle of a squeeze: what was granted is still there, and both starts succeed.
# limit: 420
# full: the boots of five guests

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

three_full_guests

write_guest first pv 128 128
write_guest second pv 96 96
id=$(ctl reserve 132m --for first)
note "first has reservation $id"
ctl reserve 100m --for second >/tmp/second.out 2>&1 &
asker=$!
wait_until 60 "the squeeze has begun" seen "host settled" = false
kill_daemon
code=0
wait $asker || code=$?
note "second: $(cat /tmp/second.out)"
assert_equal "exit code of what was being squeezed for" $code 5
start_daemon
assert_equal "reservations of first" "$(kept first)" 1
wait_until 60 "it is counted" seen "host reserved_kib" -ge $((132 * 1024))
xl create -q /tmp/first.cfg
guests_ready first
wait_until 60 "first has used its own" seen "kept first" -eq 0
[ "$(kept second)" = 0 ] || ctl release "$(ctl reservations --format csv | awk -F , '$2 == "second" { print $1 }')"
ctl start /tmp/second.cfg
guests_ready second
assert_safe one two three first second
