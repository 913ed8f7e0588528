# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Guests that need the same all the time cost nothing from xenstore: only what changed is read.
# limit: 180

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest pv1 pv 128 160
start_guest pv2 pv 128 160
guests_ready pv1 pv2
configure 'log-level = debug' '[vm *]' 'mode = dynamic'
start_daemon
settled 60
sleep 5
grep -c ' pass ' /run/xenmemd.log >/tmp/passes
sleep 20

# An agent that has nothing new to say speaks every 10 s: a handful of values in 20 s.
grep ' pass ' /run/xenmemd.log | tail -n +"$(($(cat /tmp/passes) + 1))" |
    sed 's/.*store_reads=\([0-9]*\).*/\1/' >/tmp/reads
passes=$(wc -l </tmp/reads)
reads=$(awk '{ sum += $1 } END { print sum + 0 }' /tmp/reads)
quiet=$(grep -c '^0$' /tmp/reads)
note "$passes passes, $reads values read from xenstore, $quiet passes without any"
assert_between "passes in 20 s" "$passes" 5 40
assert_between "passes that read nothing" "$quiet" $((passes / 2)) "$passes"
