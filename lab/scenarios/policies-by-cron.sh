# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real cron daemon, with the sample's own lines: in the evening real guests change, in the morning back.
# limit: 420
# full: it waits for the minute to change, thrice

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest first pv 224 320
start_guest second pv 224 320
guests_ready first second
policies=/run/xenmem-policies
mkdir -p $policies
printf '[policy]\nname = night\n[vm first]\nminimum = 240m\nstartup = 240m\n' >$policies/night.policy
printf '[policy]\nname = day\n[vm second]\nminimum = 240m\nstartup = 240m\n' >$policies/day.policy

# Monday evening. Each of these sets the clock; what it is at the end, clean-up does not care.
date -s '2026-01-05 19:59:40'
configure '[host]' "reserve = $(($(xl_free_mib) - 2))m" \
    '[vm *]' 'mode = dynamic' 'startup = 128m' 'minimum = 96m' 'maximum = 320m'
start_daemon
for guest in first second; do
    wait_until 60 "$guest runs and reports" seen "vm $guest status" != unknown
done

# Uncommented, and without the column of users, which busybox's tables do not have.
mkdir -p /run/xenmem-crontabs
sed -nE 's/^#([0-9]+ [0-9]+ \* \* [-0-9]+) root (xenmemctl .*)/\1 \2/p' /lab/cron.d-xenmem \
    >/run/xenmem-crontabs/root
note "$(cat /run/xenmem-crontabs/root)"
[ -e /etc/passwd ] || echo 'root:x:0:0:root:/:/bin/sh' >/etc/passwd
XENMEM_POLICIES=$policies XENMEM_SOCKET=$socket crond -f -c /run/xenmem-crontabs 2>/run/xenmem-cron.log &

wait_until 90 "night has come" seen "vm first minimum_kib" -eq $((240 * 1024))
wait_until 60 "first has its night's memory" seen "xl_mib first" -ge 240
assert_between "second" "$(xl_mib second)" 96 212

date -s '2026-01-06 06:59:50'
wait_until 90 "morning has come" seen "vm first minimum_kib" -eq $((96 * 1024))
wait_until 120 "day has come" seen "vm second minimum_kib" -eq $((240 * 1024))
wait_until 60 "second has its day's memory" seen "xl_mib second" -ge 240
assert_between "first" "$(xl_mib first)" 96 212
note "$(events policy-applied; events policy-reverted)"
assert_equal "policies applied" "$(count_events policy-applied)" 2
assert_equal "policies reverted" "$(count_events policy-reverted)" 1
