#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Arrows between folders go down only: reads every #include "…" and holds it against the table.

. "${BASH_SOURCE%/*}/lib.sh"
cd "${1:-${XENMEM_SRC:-.}}" || exit 1

# Which folders a folder may include from. Siblings of a layer do not know each other.
declare -A may=(
    [base]="base"
    [core]="base core"
    [hv]="base core hv"
    [db]="base core db"
    [proto]="base core proto"
    [conf]="base core conf"
    [daemon]="base core hv db proto conf daemon"
    [libctl]="base core proto libctl"
    [agent]="base core agent"
    [sim]="base core hv db proto conf daemon sim"
    [cli]="base cli"
    [lab]="base lab"
    [bench]="base core hv db proto conf daemon libctl sim bench"
    [tests]="base core hv db proto conf daemon libctl agent sim cli tests"
)
public_header=libctl/xenmemctl.h

# The core may ask the C library for types, for moving bytes and for text in the caller's buffer
# (stdio.h has snprintf; the purity check sees to the rest of it).
pure_headers='ctype|inttypes|limits|stdarg|stdbool|stddef|stdint|stdio|string'

judge_include() { # FILE LINE INCLUDED
    local folder=${1%%/*} target=${3%%/*}
    case $3 in
    config.h) return ;;
    */*) ;;
    *) finding "$1:$2" "\"$3\" is not written from the top of the tree" && return ;;
    esac
    [ "$folder:$3" = "cli:$public_header" ] && return
    case " ${may[$folder]-} " in
    *" $target "*) ;;
    *) finding "$1:$2" "$folder/ must not know $target/ (\"$3\")" && return ;;
    esac
    [ -e "$3" ] || finding "$1:$2" "\"$3\" does not exist"
}

while IFS=: read -r file line text; do
    included=${text#*\"}
    judge_include "$file" "$line" "${included%%\"*}"
done < <(house_sources | xargs -r grep -nHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"')

while IFS=: read -r file line text; do
    finding "$file:$line" "the core is pure: ${text#*include }"
done < <(house_sources | grep '^core/' |
    xargs -r grep -nHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' | grep -vE "<($pure_headers)\.h>")

if [ -e "$public_header" ]; then
    while IFS=: read -r line _; do
        finding "$public_header:$line" "the public header includes headers of the C library only"
    done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$public_header")
fi

finish layers
