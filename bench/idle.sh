#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What an idle xenmemd costs, with so many VMs that need the same all the time.
#
# usage: idle.sh [VMS [SECONDS]]

set -u
vms=${1:-100}
seconds=${2:-10}
# shellcheck source=host.sh
. "${BASH_SOURCE%/*}/host.sh"

show_memory() {
    awk '/^VmRSS|^RssAnon/ { printf "%-28s %8d KiB\n", $1, $2 }' "/proc/$daemon/status"
}

show_syscalls() {
    local before after
    if ! command -v strace >/dev/null; then
        echo "system calls a pass           not measured: strace is not installed"
        return
    fi
    before=$(passes)
    timeout --signal=INT "$seconds" strace -f -c -o "$stage/strace" -p "$daemon" 2>"$stage/strace.log"
    after=$(passes)
    awk -v passes=$((after - before)) \
        '$NF == "total" { printf "system calls a pass          %8.1f (%d in %d passes)\n", $(NF-2) / passes, $(NF-2), passes }' \
        <(awk '$NF == "total" { print $1, $2, $3, $4, "0", $NF }' "$stage/strace")
    grep ' pass ' "$stage/log" | tail -n $((after - before)) |
        awk '{ for (i = 1; i <= NF; i++) if (sub(/^store_reads=/, "", $i)) { sum += $i; n++ } }
             END { if (n) printf "guests read again a pass     %8.1f\n", sum / n }'
}

show_instructions() {
    if ! command -v valgrind >/dev/null; then
        echo "instructions a pass           not measured: valgrind is not installed"
        return
    fi
    valgrind --tool=callgrind --toggle-collect=engine_tick --callgrind-out-file="$stage/callgrind" \
        "$build/bench/tick" "$vms" 100 idle >"$stage/tick" 2>"$stage/valgrind"
    # 200 passes to warm up, and 100 more
    awk '/refs:|Collected/ { gsub(",", "", $NF)
        printf "instructions a pass          %8.0f (mean of 300)\n", $NF / 300; exit }' "$stage/valgrind"
}

start_daemon "$vms" 500m
"$build/cli/xenmemctl" --socket "$stage/sock" balance >"$stage/out" 2>&1
sleep 5
echo "idle xenmemd, $vms VMs (simulated host), a pass a second:"
show_memory
show_syscalls
show_instructions
