# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest without swap that grows at half its balloon's rate gets memory before its OOM killer acts.
# limit: 420
# full: measures how fast a balloon moves, and grows a guest by 300 MiB

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest web pv 256 640
guests_ready web
configure '[vm *]' 'mode = dynamic' 'startup = 256m' 'minimum = 128m' 'maximum = 640m'

# How fast the balloon moves when nothing holds it up: by hand, before the daemon is there.
has_mib() { # MIB
    [ "$(xl_mib web)" -ge "$1" ]
}
begin=$(now)
xl mem-set web 512
wait_until 60 "the balloon has grown" has_mib 510
tenths=$(($(now) - begin))
rate=$((256 * 10 / (tenths + 1)))
pace=$((rate / 2))
xl mem-set web 256
wait_until 120 "the balloon has shrunk" seen "xl_mib web" -le 258
note "the balloon moved 256 MiB in $tenths tenths of a second: $rate MiB/s; web will grow by $pace MiB/s"
assert_between "pace" "$pace" 1 1000

start_daemon
wait_until 60 "web reports" seen "vm web status" != unknown
settled 60
note "before: web has $(xl_mib web) MiB, demand $(($(vm web demand_kib) / 1024)) MiB"

# Nothing else goes on in dom0 meanwhile: its one emulated processor is slow enough for the daemon alone.
console=/var/log/xen/console/guest-web.log
begin_load web "pace $pace tmpfs 380"
wait_until 150 "web has grown by 380 MiB" grep -q 'workload: 380 MiB within' "$console"
took_ms=$(sed -n 's/.*workload: 380 MiB within \([0-9]*\) ms.*/\1/p' "$console")
reached=$((380 * 1000 / took_ms))
note "web grew by $reached MiB/s"
# Slower, it would not show what it is here for.
assert_between "the rate that web grew by" "$reached" $((pace * 3 / 4)) "$((pace + 1))"
wait_until 60 "web has what it wants" has_what_it_wants web 380
note "after: web has $(xl_mib web) MiB, demand $(($(vm web demand_kib) / 1024)) MiB"
assert_not_killed web "pace $pace tmpfs 380"
assert_equal "OOM kills" "$(shown web oom_kills)" 0
assert_between "web" "$(xl_mib web)" 440 640
