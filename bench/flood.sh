#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What 50 clients that ask 5,000 times a second for the list of 100 VMs do to the loop of a daemon that
# balances meanwhile; with 1,000 connections open.
#
# usage: flood.sh [VMS [CLIENTS [RATE [SECONDS [IDLE]]]]]

set -u
vms=${1:-100} clients=${2:-50} rate=${3:-5000} seconds=${4:-20} idle=${5:-950}
build=${XENMEM_BUILD:-.}
stage=$(mktemp -d) || exit 1
daemon=

clean_up() {
    [ -z "$daemon" ] || kill "$daemon"
    "$build/sim/xenmem-sim" stop "$stage/flood.scenario"
    wait
    rm -rf "$stage"
}
trap clean_up EXIT

{
    printf '[host]\nsize = %dm\ndom0 = 1g\n' $((4096 + vms * 1000))
    for ((i = 0; i < vms; i++)); do
        printf '[vm vm%d]\nmemory = 768m\nmaxmem = 2g\ndemand = 500m\n' "$i"
    done
} >"$stage/flood.scenario"
printf '[vm *]\nmode = dynamic\nminimum = 256m\n' >"$stage/conf"

ctl() {
    "$build/cli/xenmemctl" --socket "$stage/sock" "$@"
}

# Demand that moves all the time.
move() {
    local i
    while :; do
        for ((i = 0; i < vms; i += 5)); do
            "$build/sim/xenmem-sim" xl "$stage/flood.scenario" demand "vm$i" $((400 + RANDOM % 600))m || return
        done
    done
}

"$build/daemon/xenmemd" -c "$stage/conf" --backend "sim:$stage/flood.scenario" --socket "$stage/sock" \
    --database "$stage/db" 2>"$stage/log" &
daemon=$!
until ctl balance >/dev/null 2>&1; do
    kill -0 "$daemon" || { tail -n 3 "$stage/log"; exit 1; }
    sleep 0.2
done
ctl metrics >"$stage/before"
move >/dev/null 2>&1 &
mover=$!
"$build/bench/flood" "$stage/sock" "$clients" "$rate" "$seconds" "$idle"
ctl metrics >"$stage/after"
kill "$mover"

# The 99th percentile of the loop's lag meanwhile, as the bound of its bucket.
awk '
    /^xenmem_actions_total/ { actions[FILENAME] = $2 }
    /^xenmem_loop_lag_seconds_bucket/ {
        split($1, part, "\"")
        if (FILENAME == ARGV[1]) { before[part[2]] = $2; next }
        bound[++n] = part[2]; seen[n] = $2 - before[part[2]]
    }
    END {
        for (i = 1; i < n && seen[i] < 0.99 * seen[n]; i++) ;
        printf "loop lag: p99 at most %s s (%d measurements), %d actions meanwhile\n", bound[i], seen[n], \
            actions[ARGV[2]] - actions[ARGV[1]]
    }' "$stage/before" "$stage/after"
