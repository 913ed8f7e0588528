# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# What counts as need in a real guest, and what does not: memory of each sort, and the page cache.
# limit: 700
# full: touches memory of seven sorts, and waits for need to fall
#
# Nothing is moved meanwhile (action = observe), so that what is measured is the guest alone.

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest web pv 256 320
start_guest big pvh 192 192
guests_ready web big
configure '[host]' 'action = observe' '[vm *]' 'mode = dynamic' 'minimum = 96m' 'maximum = 320m'
start_daemon
for guest in web big; do
    wait_until 60 "$guest reports" seen "vm $guest status" != unknown
done

# An agent that has nothing new to say speaks every 10 s.
settle_report() { # GUEST
    settle_before=$(reported "$1" seq)
    wait_until 30 "$1 reports again" seen "reported $1 seq" -gt "$settle_before"
}

rise() { # GUEST FIELD: in MiB, since begin_try
    echo $((($(reported "$1" "$2") - $(cat "/tmp/before.$2")) / 1024))
}

begin_try() { # GUEST
    for field in need floor cache; do
        reported "$1" $field >"/tmp/before.$field"
    done
}

tell_rise() { # GUEST WORK
    note "$2: need rises by $(rise "$1" need) MiB, floor by $(rise "$1" floor), cache by $(rise "$1" cache); \
swap $(($(reported "$1" swap) / 1024)) MiB"
}

# Has it use memory of a sort that is needed: that shows in what it reports, and at once in demand.
counts() { # GUEST WORK MIB
    begin_try "$1"
    load "$1" "$2"
    wait_until 40 "need has risen with $2" seen "rise $1 need" -ge $(($3 - 8))
    tell_rise "$1" "$2"
    assert_near "rise of need with $2" "$(rise "$1" need)" "$3" 8
    sleep 2
    reported "$1" need >/tmp/need
    [ "$(vm "$1" demand_kib)" -ge "$(cat /tmp/need)" ] || fail "demand is below the need of $(cat /tmp/need)"
}

note "idle: need $(($(reported web need) / 1024)) MiB, floor $(($(reported web floor) / 1024)) of $(xl_mib web)"
begin_try web
load web "cache 60"
settle_report web
tell_rise web "cache 60"
assert_near "rise of the cache" "$(rise web cache)" 60 8
assert_near "rise of need with a full cache" "$(rise web need)" 0 6
load web "anon 0"
counts web "anon 40" 40
load web "anon 0"
counts web "tmpfs 40" 40
load web "anon 0"
counts web "shm 40" 40
load web "anon 0"
counts web "pin 40" 40
assert_between "rise of the floor with locked memory" "$(rise web floor)" 34 48
load web "anon 0"

# PV guests have no huge pages.
counts big "huge 40" 40
assert_between "rise of the floor with huge pages" "$(rise big floor)" 32 50

# More than there is, with swap: what was swapped out is needed too.
begin_try web
load web "swap 128 anon 220"
settle_report web
tell_rise web "swap 128 anon 220"
assert_between "rise of need with swap in use" "$(rise web need)" 190 250
[ "$(reported web swap)" -gt 0 ] || fail "nothing was swapped out"
assert_not_killed web "swap 128 anon 220"

# The need falls at once, the demand only slowly.
high=$(vm web demand_kib)
load web "anon 0"
settle_report web
low=$(reported web need)
sleep 30
later=$(vm web demand_kib)
note "need fell from $((high / 1024)) to $((low / 1024)) MiB; 30 s later demand is $((later / 1024)) MiB"
assert_between "demand 30 s later" "$later" $(((high + low) / 2)) $((high - 1))
assert_equal "OOM kills" "$(reported web oom)" 0
