# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a guest that writes its report 1,000 times a second costs the daemon, beside one that writes once.
# limit: 300

# shellcheck source=../../lab/dom0/lib.sh
. /lab/lib.sh

seconds=40
start_guest web pv 160 320
guests_ready web
configure '[vm *]' 'mode = dynamic' 'startup = 160m' 'minimum = 96m' 'maximum = 320m'
start_daemon
wait_until 60 "web reports" seen "vm web status" != unknown
settled 60

# Of the daemon, in hundredths of a second: user and system, all threads.
cpu() {
    awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$daemon_pid/stat"
}

# Its CPU time over so many seconds.
measure() { # WHAT
    cpu_before=$(cpu)
    sleep $seconds
    cpu_after=$(cpu)
    note "$1: $((cpu_after - cpu_before)) hundredths of a second of CPU in $seconds s"
}

load web "run touch /tmp/quiet; killall xenmem-agent"
load web "run liar once >/dev/null 2>&1 &"
sleep 5
measure "a report a second"
load web "run killall liar"
load web "run liar flood >/dev/null 2>&1 &"
sleep 5
measure "1,000 reports a second (as many as the emulation makes)"
before=$(of_guest web data/xenmem | sed 's/.*seq=\([0-9]*\).*/\1/')
sleep 5
after=$(of_guest web data/xenmem | sed 's/.*seq=\([0-9]*\).*/\1/')
note "the guest wrote $(((after - before) / 5)) times a second"
