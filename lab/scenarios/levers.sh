# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A night policy changes real guests, the morning changes them back; hooks run on host-low and vm-warning.
# limit: 300
# full: make check-xen has six minutes in all

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest first pv 224 320
start_guest second pv 224 320
guests_ready first second

hooks=/run/xenmem-hooks
mkdir -p $hooks/vm-warning $hooks/host-low
cat >$hooks/vm-warning/tell <<'HOOK'
#!/bin/sh
{ echo "$1 $XENMEM_VM"; cat; echo; } >>/run/xenmem-told
HOOK
cp $hooks/vm-warning/tell $hooks/host-low/tell
chmod 755 $hooks/*/tell

# The policy NAME: that VM has at least 240 MiB.
policy() { # NAME VM
    printf '[policy]\nname = %s\n[vm %s]\nminimum = 240m\nstartup = 240m\n' "$1" "$2" >"/tmp/$1.policy"
}
policy night first
policy day second
policy both '*'

# All that is free is out of bounds, but for what the two may already take.
configure '[host]' "reserve = $(($(xl_free_mib) - 2))m" '[hooks]' "folder = $hooks" \
    '[vm *]' 'mode = dynamic' 'startup = 128m' 'minimum = 96m' 'maximum = 320m'
start_daemon
for guest in first second; do
    wait_until 60 "$guest runs and reports" seen "vm $guest status" != unknown
done

ctl policy apply /tmp/night.policy --dry-run
assert_equal "first's minimum after a dry run" "$(vm first minimum_kib)" $((96 * 1024))
ctl policy apply /tmp/night.policy >/dev/null
ctl policy apply /tmp/night.policy >/dev/null
wait_until 90 "first has its night's memory" seen "xl_mib first" -ge 240
assert_between "second" "$(xl_mib second)" 96 212
assert_equal "times it was applied" "$(events policy-applied | grep -c policy=night)" 1

ctl policy revert night >/dev/null
assert_equal "first's minimum in the morning" "$(vm first minimum_kib)" $((96 * 1024))
ctl policy apply /tmp/day.policy >/dev/null
wait_until 90 "second has its day's memory" seen "xl_mib second" -ge 240
assert_between "first" "$(xl_mib first)" 96 212
ctl policy revert day >/dev/null

# Twice 240 MiB is more than there is.
ctl policy apply /tmp/both.policy >/dev/null
wait_until 60 "the hook on host-low was run" grep -q '^host-low' /run/xenmem-told
ctl policy revert both >/dev/null

# All but 130 MiB go to second; first needs more than that, and what does not fit is swapped out.
ctl set second minimum=320m startup=320m maximum=320m
wait_until 90 "second has its new minimum" seen "xl_mib second" -ge 319
load first "swap 128 anon 90"
wait_until 60 "the hook on vm-warning was run" grep -q '^vm-warning first' /run/xenmem-told
grep -q '"event":"vm-warning","vm":"first"' /run/xenmem-told ||
    fail "it was not given the event: $(cat /run/xenmem-told)"
note "told: $(cat /run/xenmem-told)"
wait_until 30 "what became of it is journalled" seen "count_events hook" -ge 2
assert_equal "hooks that did not end well" "$(events hook | grep -vc exit=0)" 0
assert_equal "broken promises" "$(events invariant-broken)" ""
