#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# xenmemctl against a server that answers by heart: what is asked for, how it is shown, and which exit
# code follows from what.

. "${BASH_SOURCE%/*}/lib.sh"

no_escapes() {
    ! LC_ALL=C grep -q "[^[:print:][:space:]$(printf '\200-\377')]" "$folder/out" &&
        ! grep -q $'\u009b' "$folder/out"
}

# --- look ---
serve good
ctl host
ends "host works" 0
has "a simulated host is called so" "This host is simulated."
has "the reserve is shown" "reserve            1 GiB"
has "each NUMA node is shown" "1                 16 GiB   5 GiB free"
ctl host --format json
json_is "host's JSON is the record" 'v["total_kib"], v["simulated"], len(v["nodes"])' '(33554432, True, 2)'
ctl --format csv host
has "host's CSV has the JSON's names" "simulated,true,33554432,9437184,1048576"

ctl list
ends "list works" 0
has "the columns have names" "NAME                                  ID  STATE    ASSIGNED    DEMAND  PRESS"
has "what is not known is a dash" "dürer-日本                             -  off             -         -      -  unknown"
has "a target that was set by hand is marked" "1.50 GiB*"
has "and the host is called simulated here too" "This host is simulated."
check "nothing that a name contains reaches the terminal" no_escapes
ctl list --format json
json_is "JSON is exact" '[vm["name"] for vm in v][1:4:2]' "['dürer-日本', 'evil\\x1b[2J\\x07\\x9b1m\\u202e,\"x\"']"
json_is "null is null" 'v[1]["assigned_kib"]' None
check "nor in JSON" no_escapes
ctl list --format csv
has "CSV has names" "name,id,state,assigned_kib,demand_kib,pressure,status,target_kib,minimum_kib"
has "CSV is empty where nothing is known" "dürer-日本,,off,,,,unknown,,524288"
has "CSV quotes" '"evil?[2J??1m?,""x""",13'

ctl show web1
ends "show works" 0
has "show says why" "Why: its need, with its buffer, is more than it has (grow-demand)"
has "show has the settings" "priority       70"
has "negative amounts are shown" "offset         -24 KiB"
ctl show web1 --format json
json_is "show's JSON is the record" 'v["uuid"][:8], v["offset_kib"]' "('0f8d2c4e', -24)"
ctl show nobody
ends "an unknown VM has its own exit code" 4 "there is no VM named 'nobody'"

# --- change ---
ctl set web1 minimum=512m priority=9 --for 8h --dry-run
ends "set works" 0
has "a dry run says that it was one" "web1 would have mode dynamic, minimum 512 MiB"
ends "set asks for what was typed" 0 \
    '{"dry_run": true, "for": "8h", "force": false, "name": "web1", "settings": {"minimum": "512m", "priority": "9"}}'
ctl set web1 --force minimum=1g --format json
json_is "set's JSON has VM and warnings" 'v["vm"]["name"], len(v["warnings"])' "('web1', 1)"
ctl set web1 minimum=9g
ends "what is wrong is usage" 2 "minimum 9 GiB is above maximum 4 GiB"
ctl set web1 maximum=900g
ends "want of memory has its own exit code" 3 "this host has 32 GiB"
ctl set web1 priority=99
ends "so has want of rights" 6 "needs the right"
ctl set web1 minimum=1g minimum=2g
ends "a key given twice is refused" 2 "minimum is given twice"
ctl set web1 minimum
ends "a word without a value too" 2 "'minimum' is not KEY=VALUE"
ctl set web1 minimum=1g --for 8hh
ends "a wrong duration too" 2 "--for: duration '8hh'"
ctl forget web1
ends "forget works" 0
ctl forget nobody
ends "an unknown VM cannot be forgotten" 4
ctl balance --clear-overrides
has "balance tells what it did" "settled after 4 actions; overrides taken back: 1"
ctl balance --timeout 5m
ends "a limit that xenmemd does not have is refused" 2 "60s at most"

# --- events ---
ctl events
has "events have moments and kinds" "2025-01-01 00:00:01  settings-changed      web1          minimum=512m"
has "and whose doing it was" "(uid 1000)"
check "details are harmless" no_escapes
ctl events --vm web1 --since 2025-01-01T00:00:01 --format json
json_is "events can be narrowed down" '[e["id"] for e in v]' '[2]'
ctl events --since 2025-02-30
ends "a date that does not exist is refused" 2 "'2025-02-30' does not exist"
ctl events --follow --since 2025-01-01 --format json
check "followed events are one a line, each once" \
    [ "$(python3 -c 'import json, sys; print([json.loads(line)["id"] for line in sys.stdin])' <"$folder/out")" = "[1, 2, 3, 4]" ]
ends "and end with the daemon" 5 "closed the connection"
ctl events --follow --vm web2 --format csv
check "those of other VMs are left out" [ "$(wc -l <"$folder/out")" = 1 ]

# --- version, and outputs ---
ctl version
has "version names both ends" "xenmemd 0.0.9, on a simulated host"
ctl version --format json
json_is "in JSON too" 'v["server"], v["protocol"]' "('xenmemd 0.0.9', 1)"
ctl list --format xml
ends "an unknown format is refused" 2 "'xml' is none of table, json, csv"
ctl --help
has "the help lists the commands" "set VM KEY=VALUE..."
ends "help is no error" 0
"$build/cli/xenmemctl" list >/dev/full 2>"$folder/err"
code=$? out="" err=$(cat "$folder/err")
ends "a full disk is an error" 1 "the output cannot be written: No space left on device"
"$build/cli/xenmemctl" list >&- 2>"$folder/err"
code=$? err=$(cat "$folder/err")
ends "so is a closed output" 1 "the output cannot be written"
{ "$build/cli/xenmemctl" events --follow --since 2025-01-01 2>"$folder/err"; echo $? >"$folder/code"; } | head -n 1 >"$folder/out"
code=$(cat "$folder/code") err=$(cat "$folder/err")
check "an output that nobody reads any more too" test "$code" -ne 0
"$build/cli/xenmemctl" list >"$folder/out" 2>&-
code=$?
check "without stderr it works all the same" [ "$code" = 0 ]

# --- servers that are none, or not well ---
end_servers
ctl list
ends "no daemon has its own exit code" 5 "not reachable at $XENMEM_SOCKET: No such file or directory"
ctl version
ends "version answers all the same" 0 "not reachable"
ctl --socket "$folder/$(printf 'x%.0s' {1..200})" list
ends "a path that is too long is usage" 2 "107 characters"
ctl --socket "" list
ends "an empty one too" 2 "--socket is empty"
serve bad_garbage && ctl list
ends "who speaks something else is no xenmemd" 1 "what listens there is not xenmemd"
serve bad_version && ctl list
ends "another protocol is told" 1 "xenmemd 0.0.9 speaks protocol 2, this client speaks 1"
serve bad_close && ctl list
ends "a daemon that hangs up is not reachable" 5 "without a word"
serve bad_busy && ctl list
ends "a daemon with too many clients says so" 1 "1024 clients already"
serve bad_half && ctl list
ends "an answer that ends too soon is none" 5 "in the middle of a line"
serve bad_endless && ctl list
ends "a line without an end is refused" 1 "a line of more than"
serve bad_deep && ctl list
ends "an answer nested too deep is refused" 1 "nested deeper than"
serve bad_slow && ctl events --follow
ends "who was too slow for events is told" 1 "did not take events fast enough"
serve bad_silence && ctl list
ends "silence is not waited for for ever" 7 "says nothing"
serve bad_lost && ctl balance --timeout 200ms
ends "an answer that does not come has an end too" 7 "not settled within 200ms"

# --- the manual ---
ctl --help
for word in $(printf '%s\n' "$out" | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+).*/\1/p'); do
    check "the manual has the command $word" grep -qE "^(\.BI? |.f[BI])$word\b" "$src/man/xenmemctl.1"
    for option in $("$build/cli/xenmemctl" "$word" --help | sed -nE 's/^  (--[a-z-]+).*/\1/p'); do
        check "the manual has $word $option" grep -qF -e "${option//-/\\-}" "$src/man/xenmemctl.1"
    done
done

finish
