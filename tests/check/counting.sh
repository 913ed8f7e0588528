#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How .ci/run counts: what failed, was skipped, or said nothing cannot pass unseen.

cd "${XENMEM_SRC:-.}" || exit 1
. .ci/lib.sh
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
good=0
bad=0

expect() { # WHAT EXPECTED FOUND
    if [ "$2" = "$3" ]; then
        good=$((good + 1))
    else
        bad=$((bad + 1))
        printf 'FAILED: %s: expected "%s", found "%s"\n' "$1" "$2" "$3"
    fi
}

# counted RESULT LINE…: what a test with that log counts as.
counted() {
    local result=$1
    shift
    printf '%s\n' "$@" >"$work/log"
    count_log "$work/log" "$result" t
}

summed() { # EXIT-CODE LINE…
    local code=$1
    shift
    printf '%s\n' "$@" >"$work/log"
    sum_of "$work/log" "$code"
}

expect "libcheck's line counts" "PASS t: 15 passed, 0 failed" \
    "$(counted PASS 'Running suite(s): x' '100%: Checks: 15, Failures: 0, Errors: 0')"
expect "libcheck's failures and errors" "FAIL t: 12 passed, 3 failed" \
    "$(counted FAIL '80%: Checks: 15, Failures: 2, Errors: 1' 'x.c:1:F:a:b:0: no')"
expect "two suites in one program" "PASS t: 5 passed, 0 failed" \
    "$(counted PASS '100%: Checks: 2, Failures: 0, Errors: 0' '100%: Checks: 3, Failures: 0, Errors: 0')"
expect "a script's line counts" "FAIL t: 7 passed, 2 failed" \
    "$(counted FAIL 'FAILED: this' '7 passed, 2 failed')"
expect "a check without numbers is one" "PASS t: 1 passed, 0 failed" "$(counted PASS 'nothing found')"
expect "what died early has failed" "FAIL t: 0 passed, 1 failed" "$(counted FAIL '')"
expect "what died late has failed" "FAIL t: 4 passed, 1 failed" "$(counted FAIL '4 passed, 0 failed')"
expect "what was skipped has failed" "SKIP t: 0 passed, 1 failed" "$(counted SKIP 'no such tool')"
expect "what could not be run has failed" "ERROR t: 0 passed, 1 failed" "$(counted ERROR '')"

expect "a step is the sum of its tests" "9 1" \
    "$(summed 1 'PASS a: 5 passed, 0 failed' 'FAIL b: 4 passed, 1 failed')"
expect "a step that says its own sum" "5 0" "$(summed 0 '5 passed, 0 failed')"
expect "a step without tests is one" "1 0" "$(summed 0 'done')"
expect "a step that did not build" "0 1" "$(summed 2 'x.c:1: error: no')"
expect "a step that failed though its tests passed" "5 1" "$(summed 2 'PASS a: 5 passed, 0 failed')"

mkdir -p "$work/build/tests"
printf ':test-result: PASS\n' >"$work/build/tests/a.trs"
printf ':test-result: SKIP\n' >"$work/build/b.trs"
echo '3 passed, 0 failed' >"$work/build/tests/a.log"
echo 'skipped' >"$work/build/b.log"
expect "every result below a build is found" \
    "SKIP b: 0 passed, 1 failed|    | skipped|PASS tests/a: 3 passed, 0 failed" \
    "$(results_below "$work/build" | paste -sd '|')"

echo "$good passed, $bad failed"
[ "$bad" = 0 ]
