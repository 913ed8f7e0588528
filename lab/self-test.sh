#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The lab can fail: boots it once with scenarios that fail in every way there is, and checks that each
# is told from the ones that pass, with what it saw.

here=$(cd "${BASH_SOURCE%/*}" && pwd)
passed=0
failed=0
scenarios=(fails stumbles waits hangs passes takes-the-host-down comes-too-late)

count() { # WHAT-IS-WRONG COMMAND…
    local wrong=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "self-test: $wrong"
    fi
}

says() { # LINE, as an extended regular expression
    count "no line '$1'" grep -qE "^ *$1\$" <<<"$output"
}

files=("${scenarios[@]/#/$here/self-test/}")
output=$("$here/run" "${files[@]/%/.sh}" 2>&1)
code=$?
output+=$'\n'"exit code $code"

says "FAILED: the answer is '42', not '43'"
says 'fails: FAILED \([0-9.]+ s\)'
says 'FAILED: a command ended with exit code 1'
says 'stumbles: FAILED \([0-9.]+ s\)'
says "xl_mib nobody: ''"
says 'FAILED: not within 1 s: a guest is there'
says 'hangs: FAILED \(no end within 3 s\)'
says 'said by the one that passes'
says 'passes: passed \([0-9.]+ s\)'
says 'takes-the-host-down: FAILED \(the host went down\)'
says 'comes-too-late: FAILED \(not run: there is no host any more\)'
says "lab: the console's log is .*/console-[-0-9]+\\.log"
says '1 passed, 6 failed'
says 'exit code 1'
count "something was said after its end" test -z "$(grep 'never said' <<<"$output")"
log=$(sed -nE "s/^lab: the console's log is //p" <<<"$output")
count "the log does not tell of the crash" grep -q sysrq "$log"
rm -f "$log"
[ "$failed" = 0 ] || echo "$output"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
