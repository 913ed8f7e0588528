#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The keys of the configuration are the same in the tables of the code, in the man page and in the
# file that is installed.

. "${BASH_SOURCE%/*}/lib.sh"
cd "${1:-${XENMEM_SRC:-.}}" || exit 1
installed=etc/xenmemd.conf
page=man/xenmemd.conf.5

# Rows begin {"name", "wire_name", TYPE … or {.name = "name", …; the formatter may break the lines.
table_keys() {
    cat core/settings.c daemon/options.c | tr -s '\n ' ' ' |
        grep -oE '\{(\.name = "[a-z-]+",|"[a-z-]+", "[a-z_]+", SETTING_)' |
        sed -E 's/[^"]*"([a-z-]+)".*/\1/' | sort -u
}

compare() { # FILE ITS-KEYS
    local key
    while read -r key; do
        finding "$1" "says nothing of '$key'"
    done < <(comm -23 <(table_keys) <(sort -u <<<"$2"))
    while read -r key; do
        finding "$1" "has '$key', which no table has"
    done < <(comm -13 <(table_keys) <(sort -u <<<"$2"))
}

for file in core/settings.c daemon/options.c "$installed" "$page"; do
    [ -s "$file" ] || finding "$file" "is not there"
done
[ -n "$(table_keys)" ] || finding "daemon/options.c" "no table of keys was found in it"

compare "$installed" "$(sed -nE 's/^#?([a-z-]+) = .*/\1/p' "$installed")"
compare "$page" "$(sed -nE 's/^\.B[IR] "?([a-z-]+)(\\)? =.*/\1/p' "$page")"

finish config
