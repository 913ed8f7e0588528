#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The core is pure: its archive asks for nothing but what core-symbols.allow names, and has nothing
# that can be written to. Run as: purity.sh [ARCHIVE [TREE]].

. "${BASH_SOURCE%/*}/lib.sh"
here=$(cd "${BASH_SOURCE%/*}" && pwd)
archive=${1:-${XENMEM_BUILD:-.}/libxm_core.a}
tree=${2:-${XENMEM_SRC:-.}}
nm=${XENMEM_NM:-nm}

if [ ! -s "$archive" ]; then
    finding "$archive" "no such archive"
    finish purity
fi

allowed=$(grep -vE '^(#|$)' "$here/core-symbols.allow" | paste -sd '|')
mine=$("$nm" --defined-only --extern-only -f posix "$archive" | awk 'NF >= 2 { print $1 }' | sort -u)
wanted=$("$nm" --undefined-only -f posix "$archive" | awk 'NF >= 2 { print $1 }' | sort -u)

while read -r symbol; do
    finding "$symbol" "the core calls it, and core-symbols.allow does not name it"
done < <(comm -13 <(echo "$mine") <(echo "$wanted") | grep -vE "^($allowed)?$")

# Constant tables of pointers are in .data.rel.ro, which is read-only once the program runs.
while read -r symbol section; do
    finding "$symbol" "a variable in $section"
done < <("$nm" --defined-only -f sysv "$archive" | awk -F'|' 'NF == 7 {
        gsub(/ /, "", $1); gsub(/ /, "", $7)
        if ($1 !~ /^__(asan|odr_asan)/ &&
            $7 ~ /^(\.(data|bss|tdata|tbss)|\*COM\*)/ && $7 !~ /^\.data\.rel\.ro/)
            print $1, $7
    }')

cd "$tree" || exit 1
while IFS=: read -r file line _; do
    finding "$file:$line" "floating point in the core"
done < <(house_sources | grep '^core/' | xargs -r grep -nHE '^[^/*"]*\b(float|double)\b')

finish purity
