#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The events that can run hooks are the same in the code and in the man page.

. "${BASH_SOURCE%/*}/lib.sh"
cd "${1:-${XENMEM_SRC:-.}}" || exit 1
table=daemon/events.c
page=man/xenmemd.conf.5

# These two are journalled, and run none.
in_code() {
    sed -nE 's/^ *\[EVENT_[A-Z_]+\] = \{"([a-z-]+)",.*/\1/p' "$table" | grep -vxE 'hook|action' | sort -u
}

in_page() {
    sed -n '/^\.SH HOOKS/,/^\.PP/p' "$page" | grep -oE '[a-z]+\\-[a-z]+' | tr -d '\134' | sort -u
}

for file in "$table" "$page"; do
    [ -s "$file" ] || finding "$file" "is not there"
done
[ -n "$(in_code)" ] || finding "$table" "no table of events was found in it"
while read -r event; do
    finding "$page" "says nothing of '$event' under HOOKS"
done < <(comm -23 <(in_code) <(in_page))
while read -r event; do
    finding "$page" "has '$event', which is no event"
done < <(comm -13 <(in_code) <(in_page))

finish events
