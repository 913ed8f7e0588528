#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What must not be left behind: paths of somebody's machine, notes to oneself, files without a
# licence, files too long to read.

. "${BASH_SOURCE%/*}/lib.sh"
cd "${1:-${XENMEM_SRC:-.}}" || exit 1
longest=600

# The patterns are written so that they do not match themselves.
machine_paths='(^|[^A-Za-z0-9_.}-])/(wor[k]|hom[e]|roo[t])/[A-Za-z0-9_.]|/tmp/b[-]|\.\./share[d]'
notes='\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b'

while IFS=: read -r file line text; do
    finding "$file:$line" "a path of somebody's machine: $text"
done < <(house_files | xargs -r grep -nHIE "$machine_paths")

while IFS=: read -r file line text; do
    finding "$file:$line" "a note to oneself: $text"
done < <(house_files | xargs -r grep -nHIE "$notes")

# Every source, script and build file names its licence in its first lines.
while read -r file; do
    case $file in
    *.c | *.h | *.sh | *.py | *.mk | *.m4 | *.am | *.ac | *.map | quickstart | .ci/run) ;;
    *) head -n 1 "$file" | grep -q '^#!' || continue ;;
    esac
    head -n 3 "$file" | grep -qE 'SPDX-License-Identifier: (GPL-2\.0|LGPL-2\.1)-or-later' ||
        finding "$file" "no SPDX line among its first three"
done < <(house_files)

while read -r file; do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: LGPL-2.1-or-later' ||
        finding "$file" "the client library is LGPL-2.1-or-later"
done < <(house_sources | grep '^libctl/')

while read -r file; do
    lines=$(wc -l <"$file")
    [ "$lines" -le "$longest" ] || finding "$file" "$lines lines, more than $longest"
done < <(house_sources)

finish traces
