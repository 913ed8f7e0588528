# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts that run xenmemctl share: a folder that goes away, servers that are ended, checks that
# are counted.

set -u
export LC_ALL=C.UTF-8 TZ=UTC
src=${XENMEM_SRC:?} build=${XENMEM_BUILD:?}
folder=$(mktemp -d)
export XENMEM_SOCKET=$folder/socket
passed=0 failed=0
servers=()

end_servers() {
    local pid
    for pid in "${servers[@]}"; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    servers=()
    rm -f "$XENMEM_SOCKET"
}
trap 'end_servers; rm -rf "$folder"' EXIT

# serve BEHAVIOUR: a server of that behaviour listens from now on.
serve() {
    end_servers
    exec 3< <(exec python3 "$src/tests/cli/fake_xenmemd.py" "$XENMEM_SOCKET" "$1")
    servers+=($!)
    read -r -t 60 _ <&3
}

# ctl ARGUMENTS...: runs xenmemctl; its output is in $out, its errors in $err, its exit code in $code.
ctl() {
    timeout 60 "$build/cli/xenmemctl" "$@" >"$folder/out" 2>"$folder/err" </dev/null
    code=$?
    out=$(cat "$folder/out")
    err=$(cat "$folder/err")
}

# fail WHAT: it was not so; says what the last ctl gave.
fail() {
    printf 'FAILED: %s\n  exit code %s\n' "$1" "$code"
    printf '%s\n' "$out" | head -n 20 | sed 's/^/  out: /'
    printf '%s\n' "$err" | head -n 20 | sed 's/^/  err: /'
    failed=$((failed + 1))
}

# check WHAT COMMAND...: COMMAND succeeds.
check() {
    local what=$1
    shift
    if "$@"; then passed=$((passed + 1)); else fail "$what"; fi
}

# ends WHAT CODE [TEXT]: the last ctl ended with CODE, and has TEXT in its one line of errors.
ends() {
    if [ "$code" = "$2" ] && case $err in *"${3-}"*) ;; *) false ;; esac &&
        { [ "$2" = 0 ] || [ "$(wc -l <"$folder/err")" = 1 ]; }; then
        passed=$((passed + 1))
    else
        fail "$1"
    fi
}

# has WHAT TEXT: the last ctl has TEXT in its output.
has() {
    case $out in
    *"$2"*) passed=$((passed + 1)) ;;
    *) fail "$1" ;;
    esac
}

# is_json FILTER VALUE: what the last ctl wrote is JSON, of which the Python expression FILTER (of "v") is
# VALUE.
json_is() {
    local value
    value=$(python3 -c 'import json, sys
v = json.load(sys.stdin)
print(eval(sys.argv[1]))' "$2" <"$folder/out" 2>&1)
    if [ "$value" = "$3" ]; then passed=$((passed + 1)); else fail "$1: $2 is $value"; fi
}

finish() {
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ]
}
