# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# What scenarios are written with, for busybox's sh in dom0, run with -eu. Nothing here waits without
# a limit, and whatever fails says what it saw.

socket=/run/xenmem/xenmemd.sock
said_why=no

note() {
    echo "$*"
}

fail() {
    said_why=yes
    echo "FAILED: $*"
    exit 1
}

# A command that fails ends a scenario, and is named at least by its exit code.
at_end() {
    code=$?
    [ $code = 0 ] || [ $said_why = yes ] || echo "FAILED: a command ended with exit code $code"
    exit $code
}
trap at_end EXIT

# Tenths of a second since dom0 came up.
now() {
    awk '{ printf "%d", $1 * 10 }' /proc/uptime
}

# "12.3", the seconds since the moment $1 of now.
since() {
    awk -v from="$1" '{ printf "%.1f", $1 - from / 10 }' /proc/uptime
}

# --- judging ---------------------------------------------------------------------------------------

assert_equal() { # WHAT SEEN EXPECTED
    [ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"
}

assert_between() { # WHAT SEEN LEAST MOST
    case $2 in
    '' | *[!0-9-]*) fail "$1 is '$2', not a number" ;;
    esac
    if [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
        fail "$1 is $2, not within $3 and $4"
    fi
}

assert_near() { # WHAT SEEN EXPECTED TOLERANCE
    assert_between "$1" "$2" $(($3 - $4)) $(($3 + $4))
}

# Until COMMAND succeeds; it is quiet, except when time is up.
wait_until() { # SECONDS WHAT COMMAND…
    wait_end=$(($(now) + $1 * 10))
    wait_limit=$1
    wait_what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ "$(now)" -ge $wait_end ]; then
            "$@" || true
            fail "not within $wait_limit s: $wait_what"
        fi
        sleep 0.2
    done
}

# A check for wait_until: TEST is one of [ ]'s; what was seen is shown when time is up.
seen() { # COMMAND TEST VALUE: the output of COMMAND, compared
    seen_text=$($1 2>/dev/null) || seen_text=
    echo "$1: '$seen_text'"
    [ -n "$seen_text" ] && test "$seen_text" "$2" "$3"
}

# --- guests ----------------------------------------------------------------------------------------

# Writes a guest's configuration to /tmp/NAME.cfg; MEMORY and MAXMEM in MiB. More lines of xl's
# configuration may follow.
write_guest() { # NAME TYPE MEMORY MAXMEM [LINE…]
    guest_file=/tmp/$1.cfg
    {
        echo "name=\"$1\""
        echo "type=\"$2\""
        echo "memory=$3"
        echo "maxmem=$4"
        echo 'vcpus=1'
        echo 'kernel="/lab/guest.vmlinuz"'
        echo 'ramdisk="/lab/guest.cpio"'
        echo 'extra="console=hvc0 quiet mitigations=off cryptomgr.notests rdinit=/init"'
        shift 4
        for guest_line in "$@"; do
            echo "$guest_line"
        done
    } >"$guest_file"
}

# The same, and begins to build it.
start_guest() { # NAME TYPE MEMORY MAXMEM [LINE…]
    write_guest "$@"
    xl -v create -q "$guest_file" >/tmp/xl.log 2>&1 || {
        cat /tmp/xl.log
        fail "xl create $guest_file"
    }
}

# Nothing, and failure, where it does not run.
domid() { # NAME
    xl domid "$1" 2>/dev/null
}

of_guest() { # NAME KEY
    xenstore-read "/local/domain/$(domid "$1")/$2" 2>/dev/null
}

guest_answers() { # NAME TEXT
    guest_text=$(of_guest "$1" data/workload-done) || guest_text='nothing'
    echo "the workload of $1 says: $guest_text"
    [ "$guest_text" = "$2" ]
}

# Until their workload programs listen.
guests_ready() { # NAME…
    for guest_name in "$@"; do
        wait_until 120 "$guest_name is up" guest_answers "$guest_name" ready
    done
}

# That its agent has told of MIB of load (an idle guest needs more than 60 MiB itself), and that it has
# been given what it wants by now.
has_what_it_wants() { # NAME MIB
    wants_demand=$(vm "$1" demand_kib) wants_pressure=$(vm "$1" pressure)
    echo "$1 needs $wants_demand KiB, pressure $wants_pressure %"
    [ "$wants_demand" -ge $((($2 + 60) * 1024)) ] && [ "$wants_pressure" -le 103 ]
}

# Raises a guest's load, and waits after each step for the memory: without swap, a guest that needs more
# than its buffer at once is out of memory before anybody can help it. Steps of 15 MiB fit.
raise_load() { # NAME MIB…
    raise_name=$1
    shift
    for raise_mib in "$@"; do
        load "$raise_name" "anon $raise_mib"
        wait_until 90 "$raise_name has what it wants at $raise_mib MiB" \
            has_what_it_wants "$raise_name" "$raise_mib"
    done
}

# One figure of what its agent said last.
reported() { # NAME FIELD
    of_guest "$1" data/xenmem | tr ' ' '\n' | sed -n "s/^$2=//p"
}

has_told_rise() { # NAME FROM_KIB MIB
    told_mib=$((($(reported "$1" need) - $2) / 1024))
    echo "the need of $1 is up by $told_mib MiB"
    [ $told_mib -ge $(($3 - 4)) ] && [ $told_mib -le $(($3 + 8)) ]
}

# That what its agent says since WHAT is news: numbers above SEQUENCE, which show has from the agent, and a
# need that is right.
tells_on() { # NAME WHAT SEQUENCE
    wait_until 60 "$1 tells on after $2" seen "reported $1 seq" -gt "$3"
    wait_until 60 "show has it from the agent after $2" seen "shown $1 source" = agent
    wait_until 60 "it counts after $2" seen "vm $1 status" != unknown
    load "$1" "anon 0"
    settled 60
    idle_kib=$(reported "$1" need)
    load "$1" "anon 15"
    wait_until 30 "the need of $1 is right after $2" has_told_rise "$1" "$idle_kib" 15
    assert_not_killed "$1" "anon 15"
    note "after $2: number $3, then $(reported "$1" seq); 15 MiB more were told as $told_mib"
}

# Makes a guest use memory, for example "anon 100", and waits until it does.
load() { # NAME WORK
    xenstore-write "/local/domain/$(domid "$1")/data/workload" "$2"
    wait_until 120 "$1 does '$2'" guest_answers "$1" "$2"
}

# As load, without waiting.
begin_load() { # NAME WORK
    xenstore-write "/local/domain/$(domid "$1")/data/workload" "$2"
}

# A workload that was killed and started again would say ready.
assert_not_killed() { # NAME WORK
    assert_equal "what $1 does" "$(of_guest "$1" data/workload-done)" "$2"
    if grep -q 'Killed process' "/var/log/xen/console/guest-$1.log"; then
        grep 'Killed process' "/var/log/xen/console/guest-$1.log"
        fail "$1 ran out of memory"
    fi
}

# --- what Xen itself says, without our daemon ------------------------------------------------------

xl_mib() { # NAME
    xl list "$1" | awk 'NR == 2 { print $3 }'
}

xl_free_mib() {
    xl info free_memory
}

target_kib() { # NAME
    of_guest "$1" memory/target
}

# max_pages, as Xen's own dump of its domains has it.
xen_cap_kib() { # NAME
    cap_id=$(domid "$1")
    xl dmesg -c >/dev/null
    xl debug-keys q
    xl dmesg | awk -v id="$cap_id" '
        /General information for domain/ { mine = $NF == id ":" }
        mine && match($0, /max_pages=[0-9]+/) { print substr($0, RSTART + 10, RLENGTH - 10) * 4; exit }'
}

# --- the daemon and its command line ---------------------------------------------------------------

# More lines for its configuration, from its next start on.
configure() { # LINE…
    for configure_line in "$@"; do
        echo "$configure_line"
    done >>/run/xenmemd.extra
}

# Leaves so much of what Xen has free now to VMs; all the rest is the host's reserve.
leave_free() { # MIB
    configure '[host]' "reserve = $(($(xl_free_mib) - $1))m"
}

# A host with the guests one, two and three, which have all that there is, and can give 80 MiB each.
three_full_guests() {
    for guest in one two three; do
        start_guest $guest pv 176 192
    done
    guests_ready one two three
    leave_free 8
    configure '[vm *]' 'mode = dynamic' 'minimum = 96m' 'priority = 30'
    start_daemon
    for guest in one two three; do
        wait_until 60 "$guest reports" seen "vm $guest status" != unknown
    done
    settled 60
}

# Starts it and waits until it answers. Its database stays from one start to the next within a
# scenario.
start_daemon() {
    command -v xenmemd >/dev/null || fail "no xenmemd was built"
    mkdir -p /run/xenmem /var/lib/xenmem
    touch /run/xenmemd.extra
    {
        echo '[daemon]'
        echo "socket = $socket"
        echo 'database = /var/lib/xenmem/xenmem.db'
        cat /run/xenmemd.extra
    } >/run/xenmemd.conf
    xenmemd -c /run/xenmemd.conf 2>>/run/xenmemd.log &
    daemon_pid=$!
    wait_until 30 "the daemon answers" ctl host
}

kill_daemon() {
    kill -9 "$daemon_pid"
    wait "$daemon_pid" || true
}

ctl() {
    xenmemctl --socket "$socket" "$@"
}

# One member of one VM in list's JSON.
vm() { # NAME MEMBER
    ctl list --format json | awk -f /lab/json.awk | awk -F '\t' -v name="$1" -v member="$2" '
        { split($1, path, "."); value[path[1], path[2]] = $2 }
        path[2] == "name" && $2 == name { found = path[1] }
        END { if (found == "" || !((found, member) in value)) exit 1; print value[found, member] }'
}

# One member of what show says of a VM.
shown() { # NAME MEMBER
    ctl show "$1" --format json | awk -f /lab/json.awk |
        awk -F '\t' -v member="$2" '$1 == member { print $2; found = 1 } END { exit !found }'
}

host() { # MEMBER
    ctl host --format json | awk -f /lab/json.awk |
        awk -F '\t' -v member="$1" '$1 == member { print $2; found = 1 } END { exit !found }'
}

# Both have to be said twice in a row: a pass may be in between.
settled() { # SECONDS
    wait_until "$1" "the host is settled" seen "host settled" = true
    sleep 2
    wait_until "$1" "the host stays settled" seen "host settled" = true
}

# "ID VM REASON DETAIL" of each event of a kind, the oldest first.
events() { # KIND [VM]
    ctl events --format json | awk -f /lab/json.awk | awk -F '\t' -v kind="$1" -v vm="${2-}" '
        function tell() {
            if (value["event"] == kind && (vm == "" || value["vm"] == vm))
                print value["id"], value["vm"], value["reason"], value["detail"]
            split("", value)
        }
        { split($1, path, ".") }
        NR > 1 && path[1] != last { tell() }
        { last = path[1]; value[path[2]] = $2 }
        END { if (NR) tell() }'
}

# How many reservations there are; with a name, those of that VM.
kept() { # [NAME]
    ctl reservations --format csv | sed 1d | awk -F , -v name="${1-}" 'name == "" || $2 == name' | wc -l
}

# What the host ends with, whatever happened on it: no promise was broken, nobody ran out of memory.
assert_safe() { # GUEST…
    assert_equal "broken promises" "$(events invariant-broken)" ""
    for safe_guest in "$@"; do
        if grep -q 'Killed process' "/var/log/xen/console/guest-$safe_guest.log"; then
            fail "$safe_guest ran out of memory"
        fi
    done
}

count_events() { # KIND [VM]
    events "$@" | wc -l
}
