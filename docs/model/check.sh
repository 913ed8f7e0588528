#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tries every interleaving of the model: it holds as it is, and the error is found in each variant
# with a safety measure off. Exit code 77 where spin is not installed.

command -v spin >/dev/null || {
    echo "skipped: spin is not installed"
    exit 77
}
model=$(cd "${XENMEM_SRC:-.}/docs/model" && pwd)/reservations.pml
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0
failed=0

# verify NAME EXPECTED [-DSWITCH]: EXPECTED is the number of errors.
verify() {
    local seen
    mkdir "$folder/$1"
    cd "$folder/$1" || exit 1
    spin -a ${3:+"$3"} "$model" >spin.log && "${XENMEM_CC:-cc}" -O1 -w -DSAFETY -o pan pan.c &&
        ./pan -m1000000 -w24 >pan.log
    seen=$(sed -n 's/.*errors: \([0-9]*\)$/\1/p' pan.log)
    if [ "$seen" = "$2" ] && ! grep -q 'max search depth too small' pan.log; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $1: errors: ${seen:-none counted}, expected $2"
        cat spin.log pan.log
    fi
}

verify as_it_is 0
verify grow_unverified 1 -DGROW_UNVERIFIED
verify no_implicit 1 -DNO_IMPLICIT
verify release_early 1 -DRELEASE_EARLY
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
