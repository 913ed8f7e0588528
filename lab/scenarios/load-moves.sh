# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Load moves from one guest to another, with nothing to spare on the host: memory and caps follow.
# limit: 420

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest first pv 288 320
start_guest second pv 144 320
guests_ready first second
sum_mib=432
# All that is free is out of bounds, but for what the two may already take: a slack of 1 MiB each.
reserve_mib=$(($(xl_free_mib) - 2))
configure '[host]' "reserve = ${reserve_mib}m" 'demand-half-life = 30s' \
    '[vm *]' 'mode = dynamic' 'startup = 128m' 'minimum = 96m' 'maximum = 320m'
start_daemon
ctl set first priority=80
for guest in first second; do
    wait_until 60 "$guest runs and reports" seen "vm $guest status" != unknown
done

# Xen's word for it, not ours.
assert_promises() {
    [ "$(xl_free_mib)" -ge "$reserve_mib" ] || fail "free: $(xl_free_mib) MiB, reserve: $reserve_mib"
    caps_mib=$((($(xen_cap_kib first) + $(xen_cap_kib second)) / 1024))
    assert_between "sum of both caps" $caps_mib 0 $((sum_mib + 4))
}

note "before: first $(xl_mib first) MiB, second $(xl_mib second) MiB"
begin=$(now)
raise_load second 40 55 70 85 100 115 130
note "second has its memory after $(since "$begin") s: first $(xl_mib first) MiB, second $(xl_mib second) MiB"
assert_not_killed second "anon 130"
assert_between "second" "$(xl_mib second)" 200 320
assert_between "first" "$(xl_mib first)" 96 240
assert_promises
# First the one gave, then the other got.
assert_equal "whose target moved first" "$(events action | awk '$4 == "target" { print $2; exit }')" first

# Second's need is remembered for a while; first is more important, and gets it all the same.
begin=$(now)
load second "anon 0"
raise_load first 80 95 110 125 140
note "first has its memory after $(since "$begin") s: first $(xl_mib first) MiB, second $(xl_mib second) MiB"
assert_not_killed first "anon 140"
assert_not_killed second "anon 0"
assert_between "first" "$(xl_mib first)" 230 320
assert_between "second" "$(xl_mib second)" 96 202
settled 60
assert_promises
for guest in first second; do
    assert_near "cap of $guest" "$(xen_cap_kib "$guest")" $(($(target_kib "$guest") + 1024)) 2048
    assert_equal "OOM kills in $guest" "$(shown "$guest" oom_kills)" 0
done
assert_equal "broken promises" "$(events invariant-broken)" ""
