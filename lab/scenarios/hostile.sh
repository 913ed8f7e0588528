# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest's root writes what it likes into its report: the daemon, and others' memory, stay as they are.
# limit: 600
# full: ten lies, one of which has to be waited out

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest liar pv 160 320
start_guest honest pv 160 320
guests_ready liar honest
# 40 MiB can be had by whoever asks; the rest of what is free is out of bounds.
configure '[host]' "reserve = $(($(xl_free_mib) - 42))m" \
    '[vm *]' 'mode = dynamic' 'startup = 128m' 'minimum = 96m' 'maximum = 320m'
start_daemon
for guest in liar honest; do
    wait_until 60 "$guest runs and reports" seen "vm $guest status" != unknown
done
ctl set honest priority=80
raise_load honest 40
settled 60
honest_before=$(xl_mib honest)

assert_unharmed() { # AFTER-WHAT
    kill -0 "$daemon_pid" || fail "the daemon died of $1"
    ctl host >/dev/null || fail "the daemon does not answer after $1"
    assert_equal "broken promises after $1" "$(events invariant-broken)" ""
    [ "$(xl_mib honest)" -ge "$honest_before" ] || fail "honest lost memory to $1: $(xl_mib honest) MiB"
    assert_between "the liar after $1" "$(($(target_kib liar) / 1024))" 96 320
}

load liar "run touch /tmp/quiet; killall xenmem-agent"
for lie in delete binary huge negative nul full replay stand; do
    load liar "run liar $lie >/dev/null 2>&1 &"
    sleep 4
    assert_unharmed "$lie"
    load liar "run killall liar"
    note "$lie: unharmed; liar has $(xl_mib liar) MiB, status $(vm liar status)"
done

# Time that stands still, and a number that was there before: such a report is no news, and ages.
load liar "run liar stand >/dev/null 2>&1 &"
before=$(target_kib liar)
wait_until 60 "a report that is said again and again counts no more" seen "vm liar status" = unknown
assert_equal "target of one that says nothing new" "$(target_kib liar)" "$before"
load liar "run killall liar"

load liar "run liar flood >/dev/null 2>&1 &"
sleep 10
assert_unharmed flood
load honest "anon 50"
wait_until 60 "honest gets more during the flood" has_what_it_wants honest 50
load liar "run killall liar"

# It asks for all there is for ever: the operator is told.
load liar "run liar greedy >/dev/null 2>&1 &"
wait_until 150 "the greedy one is named" seen "count_events vm-suspicious liar" -ge 1
note "greedy: liar has $(xl_mib liar) MiB, honest $(xl_mib honest)"
assert_equal "broken promises" "$(events invariant-broken)" ""
load liar "run killall liar; rm /tmp/quiet"
