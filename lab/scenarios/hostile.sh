# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest's root writes what it likes into its report: the daemon, and others' memory, stay as they are.
# limit: 1000
# full: eleven lies, one of which has to be waited out

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
load honest "swap 64 anon 40"
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
load honest "swap 64 anon 50"
wait_until 60 "honest gets more during the flood" has_what_it_wants honest 50
wait_until 150 "the noisy one is named" seen "count_events vm-suspicious liar" -ge 1
assert_unharmed flood
events vm-suspicious liar
load liar "run killall liar"
wait_until 200 "it is quiet, which is told" seen "count_events vm-plausible liar" -ge 1

# It wants all there is for ever, and gets what nobody needs: others' buffers too, for demand comes
# first. What is more important has its demand before it, and takes that back.
load liar "run liar greedy >/dev/null 2>&1 &"
wait_until 150 "the greedy one is named" seen "count_events vm-suspicious liar" -ge 2
liar_most=$(xl_mib liar)
note "greedy: liar has $liar_most MiB, honest $(xl_mib honest)"
has_its_demand() { # MIB
    demand=$(vm honest demand_kib) assigned=$(vm honest assigned_kib)
    echo "honest needs $demand KiB and has $assigned"
    [ "$demand" -ge $((($1 + 60) * 1024)) ] && [ "$assigned" -ge $((demand - 4096)) ]
}
for mib in 65 80 95; do
    load honest "swap 64 anon $mib"
    wait_until 120 "honest has what it needs at $mib MiB" has_its_demand $mib
done
note "honest has $(xl_mib honest) MiB, liar $(xl_mib liar)"
assert_not_killed honest "swap 64 anon 95"
assert_equal "broken promises after greed" "$(events invariant-broken)" ""
[ "$(xl_mib liar)" -lt "$liar_most" ] || fail "the liar keeps its $liar_most MiB"
load liar "run killall liar; rm /tmp/quiet"
wait_until 200 "an honest report clears it" seen "count_events vm-plausible liar" -ge 2
assert_equal "OOM kills in honest" "$(shown honest oom_kills)" 0
