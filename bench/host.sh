# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What benchmarks of a whole xenmemd share: a simulated host of so many equal VMs, and the daemon on it.
# Sets build, stage and daemon; cleans up behind itself.

build=${XENMEM_BUILD:-.}
stage=$(mktemp -d) || exit 1
daemon=

clean_up() {
    [ -z "$daemon" ] || kill "$daemon"
    "$build/sim/xenmem-sim" stop "$stage/host.scenario"
    wait
    rm -rf "$stage"
}
trap clean_up EXIT

write_scenario() { # VMS DEMAND
    local i
    printf '[host]\nsize = %dm\ndom0 = 1g\n' $((4096 + $1 * 800))
    for ((i = 0; i < $1; i++)); do
        printf '[vm vm%d]\nmemory = 768m\nmaxmem = 2g\ndemand = %s\n' "$i" "$2"
    done
}

start_daemon() { # VMS DEMAND
    write_scenario "$1" "$2" >"$stage/host.scenario"
    printf '[daemon]\nlog-level = debug\n[vm *]\nmode = dynamic\nminimum = 256m\n' >"$stage/conf"
    "$build/daemon/xenmemd" -c "$stage/conf" --backend "sim:$stage/host.scenario" \
        --socket "$stage/sock" --database "$stage/db" 2>"$stage/log" &
    daemon=$!
    until "$build/cli/xenmemctl" --socket "$stage/sock" host >"$stage/out" 2>&1; do
        kill -0 "$daemon" || { tail -n 3 "$stage/log"; exit 1; }
        sleep 0.2
    done
}

passes() {
    grep -c ' pass ' "$stage/log"
}
