# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A night policy changes real guests and the morning reverts it; hooks run on vm-warning and host-low.
# limit: 420

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest first pv 224 320
start_guest second pv 224 320
guests_ready first second

hooks=/run/hooks.d
rm -rf $hooks /run/told
mkdir -p $hooks/vm-warning $hooks/host-low
cat >$hooks/vm-warning/tell <<'HOOK'
#!/bin/sh
{ echo "$1 $XENMEM_VM"; cat; echo; } >>/run/told
HOOK
cp $hooks/vm-warning/tell $hooks/host-low/tell
chmod 755 $hooks $hooks/* $hooks/*/tell

# All that is free is out of bounds, but for what the two may already take.
configure '[host]' "reserve = $(($(xl_free_mib) - 2))m" '[hooks]' "folder = $hooks" \
    '[vm *]' 'mode = dynamic' 'startup = 128m' 'minimum = 96m' 'maximum = 320m'
start_daemon
for guest in first second; do
    wait_until 60 "$guest runs and reports" seen "vm $guest status" != unknown
done

# What cron would run: in the evening …
cat >/run/night.policy <<'POLICY'
[policy]
name = night
description = first has the night's work

[vm first]
minimum = 240m
startup = 240m
POLICY
ctl policy apply /run/night.policy --dry-run
assert_equal "first's minimum after a dry run" "$(vm first minimum_kib)" $((96 * 1024))
ctl policy apply /run/night.policy
ctl policy apply /run/night.policy
wait_until 90 "first has its night's memory" seen "xl_mib first" -ge 240
assert_equal "times it was applied" "$(events policy-applied | grep -c night)" 1

# … and in the morning.
ctl policy revert night
assert_equal "first's minimum in the morning" "$(vm first minimum_kib)" $((96 * 1024))
raise_load second 100 130 160
note "second has its memory: first $(xl_mib first) MiB, second $(xl_mib second) MiB"
assert_between "first" "$(xl_mib first)" 96 239

# Both want more than there is.
begin_load first "anon 150"
wait_until 120 "the hook on host-low was run" grep -q '^host-low' /run/told
wait_until 120 "the hook on vm-warning was run" grep -q '^vm-warning ' /run/told
grep -q '"event":"vm-warning"' /run/told || fail "it was not given the event: $(cat /run/told)"
note "told: $(head -c 300 /run/told)"
