#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How fast xenmem-sim is: a day of the demo scenario under the whole daemon, and a day of 100 VMs that
# is replayed on five hosts. Prints CSV: what, its passes or steps of a VM, seconds, and so many a second.
#
# usage: sim.sh   (XENMEM_BUILD, XENMEM_SRC)

set -u
sim=${XENMEM_BUILD:-.}/sim/xenmem-sim
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

make_trace() {
    awk 'BEGIN {
        print "vm,timestamp_s,provisioned_kib,used_kib"
        for (vm = 0; vm < 100; vm++)
            for (t = 0; t < 86400; t += 300)
                printf "vm%02d,%d,4194304,%d\n", vm, t, 1048576 * (1.5 + sin(t / 9000 + vm))
    }'
}

measure() { # WHAT COUNT COMMAND…
    local what=$1 count=$2 since=$EPOCHREALTIME seconds
    shift 2
    "$@" >/dev/null || exit 1
    seconds=$(awk -v from="$since" -v to="$EPOCHREALTIME" 'BEGIN { print to - from }')
    awk -v what="$what" -v count="$count" -v seconds="$seconds" \
        'BEGIN { printf "%s,%d,%.2f,%.0f\n", what, count, seconds, count / seconds }'
}

make_trace >"$work/trace.csv"
echo "what,count,seconds,per_second"
measure "run: passes of 12 VMs" 86400 "$sim" run --for 24h "${XENMEM_SRC:-.}/sim/scenarios/demo.scenario"
measure "replay: steps of a VM" 864000 "$sim" replay "$work/trace.csv" --policy xenmem --group 20
