#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Instructions a VM that one decision takes, counted by callgrind, held against those in
# instructions.txt: more by over 3% is a failure, because nobody would notice. The workload is the
# same at every run. `instructions.sh record` writes the file anew; say in the commit why.
#
# usage: instructions.sh [record]   (XENMEM_BUILD, XENMEM_SRC, XENMEM_CC; make check-instructions)

set -u
vms=2000
most_percent=103
file=${XENMEM_SRC:-.}/bench/instructions.txt
program=${XENMEM_BUILD:-.}/bench/decide
compiler="$(${XENMEM_CC:-gcc} -dumpmachine | cut -d- -f1) $(${XENMEM_CC:-gcc} --version | head -n 1 | sed -E 's/ .* ([0-9]+)\..*/ \1/')"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

count() { # START MEMORY
    valgrind --tool=callgrind --callgrind-out-file="$work/out" --toggle-collect=decide_once \
        "$program" --once "$vms" "$1" "$2" 2>"$work/log" || {
        cat "$work/log" >&2
        return 1
    }
    awk -v vms="$vms" '/^(summary|totals):/ { print int($2 / vms + 0.5); exit }' "$work/out"
}

count_all() {
    local start memory counted
    echo "# Instructions a VM of one decision of $vms VMs: start, memory, instructions. By bench/instructions.sh."
    echo "compiler $compiler"
    for start in random settled; do
        for memory in plenty scarcity; do
            counted=$(count "$start" "$memory") && [ "${counted:-0}" -gt 0 ] || return 1
            echo "$start $memory $counted"
        done
    done
}

judge() { # what was counted is on standard input
    local start memory counted recorded good=0 bad=0
    while read -r start memory counted; do
        recorded=$(awk -v start="$start" -v memory="$memory" '$1 == start && $2 == memory { print $3 }' "$file")
        if [ $((counted * 100)) -le $((${recorded:-0} * most_percent)) ]; then
            good=$((good + 1))
            echo "ok $start $memory: $counted instructions a VM, $recorded recorded"
        else
            bad=$((bad + 1))
            echo "FAILED $start $memory: $counted instructions a VM, ${recorded:-none} recorded"
        fi
    done < <(grep -E '^(random|settled) ')
    echo "$good passed, $bad failed"
    [ "$bad" = 0 ] && [ "$good" = 4 ]
}

command -v valgrind >/dev/null || {
    echo "valgrind is not installed: nothing was counted" >&2
    exit 77
}
count_all >"$work/counted" || exit 1
if [ "${1-}" = record ]; then
    cp "$work/counted" "$file"
    exit
fi
if ! grep -qx "compiler $compiler" "$file"; then
    echo "counted with $compiler, recorded with another $(grep '^compiler' "$file"): not to be compared" >&2
    cat "$work/counted"
    exit 77
fi
judge <"$work/counted"
