#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the client library exports is what its map says and its header declares, no more and no less.

set -u
export LC_ALL=C
source_folder=${XENMEM_SRC:?} build=${XENMEM_BUILD:?}
map=$source_folder/libctl/libxenmemctl.map
header=$source_folder/libctl/xenmemctl.h
library=$build/.libs/libxenmemctl.so
passed=0 failed=0

# same WHAT ONE OTHER
same() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        printf 'FAILED: %s\n' "$1"
        diff <(printf '%s\n' "$2") <(printf '%s\n' "$3")
        failed=$((failed + 1))
    fi
}

mapped=$(sed -n '/global:/,/local:/s/^[[:space:]]*\([a-z_]*\);.*/\1/p' "$map" | sort)
read -ra nm <<<"${XENMEM_NM:-nm}"
exported=$("${nm[@]}" -D --defined-only "$library" |
    sed -nE 's/^[0-9a-f]+ [A-Z] ([^@]*).*/\1/p' | grep -v '^LIBXENMEMCTL_' | sort)
nodes=$(grep -oE '^[A-Z0-9_]+ \{' "$map" | tr -d ' {')
declared=$(sed -e '/^ \*/d' "$header" | grep -oE '\bxenmemctl_[a-z_]+\(' | tr -d '(' | sort -u)

same "the library exports what the map lists" "$exported" "$mapped"
same "the header declares what the map lists" "$declared" "$mapped"
same "the map has one node a release" "$nodes" LIBXENMEMCTL_1
same "every exported name has the library's prefix" "$(printf '%s\n' "$exported" | grep -v '^xenmemctl_')" ""
same "the header includes the C library only" \
    "$(grep -E '^#include' "$header" | grep -vE '<std(bool|def|int)\.h>')" ""

same "the manual has every function" \
    "$(grep -oE '\bxenmemctl_[a-z_]+\(' "$source_folder/man/libxenmemctl.3" | tr -d '(' | sort -u)" "$mapped"

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
