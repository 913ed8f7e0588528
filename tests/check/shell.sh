#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every shell script passes shellcheck.

. "${BASH_SOURCE%/*}/lib.sh"
cd "${1:-${XENMEM_SRC:-.}}" || exit 1
need shellcheck

while read -r script; do
    shellcheck --external-sources --source-path=SCRIPTDIR --format=gcc "$script" ||
        finding "$script" "shellcheck has something to say"
done < <(house_scripts)

finish shell
