#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each library is known in one place only.

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

only Xen 'xen[a-z]*\.h|xen/|xs\.h|libxl' 'hv/hv_xen[a-z_]*\.[ch]|agent/|lab/'
only SQLite 'sqlite3' 'db/|tests/db/'
only JSON 'jansson' 'proto/|tests/proto/'
only libevent 'event2/|event\.h|ev[a-z]+\.h' 'daemon/|tests/daemon/'
only inih 'ini\.h' 'conf/'
only libcheck 'check\.h' 'tests/'

finish knowledge
