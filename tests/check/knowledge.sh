#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each library is known in one place only, and guests are written to from one place only.

. "${BASH_SOURCE%/*}/lib.sh"
cd "${1:-${XENMEM_SRC:-.}}" || exit 1

# only WHAT HEADERS PLACES: headers that match HEADERS are included only by files that match PLACES.
only() {
    local file line
    while IFS=: read -r file line _; do
        finding "$file:$line" "$1 is known only in $3"
    done < <(house_sources |
        xargs -r grep -nHE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" |
        grep -vE "^($3)")
}

only Xen 'xen[a-z]*\.h|xen/|xs\.h|libxl' 'hv/xen/|agent/|lab/|tests/hv/'
only SQLite 'sqlite3' 'db/|tests/db/'
only JSON 'jansson' 'proto/|tests/proto/'
only libevent 'event2/|event\.h|ev[a-z]+\.h' 'daemon/|tests/daemon/'
only inih 'ini\.h' 'conf/'
only curses 'n?curses\.h|term\.h' 'cli/'
only libcheck 'check\.h' 'tests/'

# bench/ writes to simulated hosts, as tests do.
while IFS=: read -r file line _; do
    finding "$file:$line" "only daemon/apply.c writes to guests"
done < <(house_sources | grep -vE '^(hv|tests|bench)/|^daemon/apply\.c$' |
    xargs -r grep -nHE '\bhv_set_(target|cap)\(')

finish knowledge
