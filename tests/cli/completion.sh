#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What bash offers after the beginning of a xenmemctl command line.

. "${BASH_SOURCE%/*}/lib.sh"

compopt() { :; } # only bash itself may call it, while it completes
# shellcheck source=/dev/null
. "$src/etc/bash-completion/xenmemctl"
serve good

# offers EXPECTED WORD...: after the words, of which the last one is being typed, EXPECTED is offered.
offers() {
    local expected=$1
    shift
    COMP_WORDS=("$build/cli/xenmemctl" "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _xenmemctl
    out=${COMPREPLY[*]-} err="" code=-
    check "after '$*': $expected" [ "$out" = "$expected" ]
}

offers "host list show explain set forget plan balance events doctor metrics policy hooks history top export import db reserve reservations release start freeze thaw version" ""
offers "show set start" s
offers "--socket --format --help --version" -
offers "--format --follow" events --fo
offers "--format --for --force" set web1 --fo
offers "json" --format j
offers "list" --format json li
offers "web1" show w
offers "web1" set w
offers "host" history ho
offers "web1" events --vm we
offers "minimum= maximum= mode=" set web1 m
offers "backup" db b
offers "--root" doctor --ro
offers "revert" policy r
offers "test" hooks t
offers "" list x

finish
