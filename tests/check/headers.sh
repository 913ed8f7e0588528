#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each header compiles alone, and twice.

. "${BASH_SOURCE%/*}/lib.sh"
cd "${1:-${XENMEM_SRC:-.}}" || exit 1
read -ra compiler <<<"${XENMEM_CC:-cc} ${XENMEM_CPPFLAGS:-}"

while read -r header; do
    case ${XENMEM_WITH_XEN:-yes}:$header in
    no:hv/xen/* | no:agent/*) echo "$header: not looked at, for this build is without Xen" && continue ;;
    esac
    # shellcheck disable=SC2059 # the format is the program's text
    printf "#include \"$header\"\n#include \"$header\"\n" |
        "${compiler[@]}" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only \
            -I. -I"${XENMEM_BUILD:-.}" -x c - || finding "$header" "does not compile alone"
done < <(house_sources | grep '\.h$')

finish headers
