#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every source is laid out as clang-format 14 does it; other versions differ in details.

. "${BASH_SOURCE%/*}/lib.sh"
cd "${1:-${XENMEM_SRC:-.}}" || exit 1
formatter=$(command -v clang-format-14 || echo clang-format)
need "$formatter"
if ! "$formatter" --version | grep -q 'version 14\.'; then
    echo "skipped: needs clang-format 14, this is $("$formatter" --version)"
    exit 77
fi

while read -r file; do
    finding "$file" "not as clang-format has it"
done < <(house_sources | xargs -r "$formatter" --style=file --dry-run 2>&1 |
    sed -nE 's/^([^:]+):[0-9]+:[0-9]+: warning: code should be clang-formatted.*/\1/p' | sort -u)

finish format
