# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A frozen guest is saved and restored while another one's need moves: nothing is written to it.
# limit: 420
# full: a save and a restore

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest moves pv 128 192
start_guest other pv 128 256
guests_ready moves other
configure "[vm *]" "mode = dynamic" "minimum = 96m" "startup = 128m" "maximum = 192m"
start_daemon
settled 60
ctl freeze moves
assert_equal "its state" "$(vm moves state)" frozen
before=$(target_kib moves)
xl save moves /tmp/moves.save
raise_load other 15 30 45
wait_until 60 "it is off" seen "vm moves state" = off
ctl start /tmp/moves.save
rm /tmp/moves.save
wait_until 60 "it runs again, and is frozen still" seen "vm moves state" = frozen
assert_equal "its target" "$(target_kib moves)" "$before"
ctl thaw moves
wait_until 60 "it is ours again" seen "vm moves state" = running
assert_safe moves other
