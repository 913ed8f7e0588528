# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon is killed and started again: settings and targets are as before, and nothing moves.
# limit: 240

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

everything() {
    ctl list --format json | awk -f /lab/json.awk |
        grep -E 'name|id|mode|m_kib|startup|buffer|priority|target|overridden'
    for guest in web db; do
        echo "$guest: $(xl_mib "$guest") MiB, cap $(xen_cap_kib "$guest") KiB"
    done
}

start_guest web pv 200 256
start_guest db pvh 160 256
guests_ready web db
start_daemon
ctl set web mode=dynamic minimum=100m startup=128m maximum=180m priority=70
ctl set db mode=dynamic minimum=176m startup=176m maximum=256m buffer=30
wait_until 60 "web is within its maximum" seen "vm web target_kib" -eq $((180 * 1024))
wait_until 60 "db has its minimum" seen "vm db target_kib" -eq $((176 * 1024))
wait_until 60 "web has followed" seen "xl_mib web" -le 181
wait_until 60 "db has followed" seen "xl_mib db" -ge 176
settled 60
before=$(everything)
actions=$(count_events action)
note "$actions actions so far"

kill_daemon
assert_equal "web after the kill" "$(target_kib web)" $((180 * 1024))
start_daemon
settled 60
sleep 8
assert_equal "everything after the restart" "$(everything)" "$before"
assert_equal "number of actions" "$(count_events action)" "$actions"
