# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Time from reserve to granted, beside what xl mem-set and polling take for the same from the same guests.
# limit: 900

# shellcheck source=../../lab/dom0/lib.sh
. /lab/lib.sh

pairs=7
full_mib=192
low_mib=152
wanted_mib=$((3 * (full_mib - low_mib)))

all_at() { # MIB
    for guest in one two three; do
        [ "$(xl_mib $guest)" -ge $(($1 - 1)) ] && [ "$(xl_mib $guest)" -le $(($1 + 1)) ] || return 1
    done
}

# The same state before each: all three at rest with all that they may have, no daemon.
to_full() {
    for guest in one two three; do
        xl mem-set $guest $full_mib
    done
    wait_until 60 "all are full" all_at $full_mib
    sleep 3
}

# Tenths of a second are too coarse here.
hundredths() {
    awk '{ printf "%d", $1 * 100 }' /proc/uptime
}

# In both, so that it is the same amount: what is free by Xen's own words.
enough_is_free() {
    [ "$(xl_free_mib)" -ge $((free_mib + wanted_mib)) ]
}

bare() {
    to_full
    free_mib=$(xl_free_mib)
    bare_begin=$(hundredths)
    for guest in one two three; do
        xl mem-set $guest $low_mib
    done
    bare_set=$(($(hundredths) - bare_begin))
    until enough_is_free; do
        sleep 0.05
    done
    bare_took=$(($(hundredths) - bare_begin))
}

# Each guest may hold 1 MiB more than its target by Xen's own slack, and all that is free beyond these
# 3 MiB and 1 more is the host's reserve: for 1 MiB more, as much has to be freed as above.
ours() {
    to_full
    rm -rf /var/lib/xenmem /run/xenmemd.extra
    free_mib=$(xl_free_mib)
    configure '[host]' "reserve = $((free_mib - 4))m" \
        '[vm *]' 'mode = dynamic' "minimum = $((low_mib - 2))m" "startup = ${full_mib}m" "maximum = ${full_mib}m" 'priority = 10'
    start_daemon
    for guest in one two three; do
        wait_until 60 "$guest reports" seen "vm $guest status" != unknown
    done
    ctl balance --clear-overrides >/dev/null # what xl mem-set has just set
    settled 60
    all_at $full_mib || fail "the guests are not as they were for xl mem-set"
    ours_begin=$(hundredths)
    ctl reserve "$((wanted_mib + 1))m" >/tmp/id
    ours_took=$(($(hundredths) - ours_begin))
    enough_is_free || fail "granted, and $(xl_free_mib) MiB are free, after $free_mib"
    kill "$daemon_pid"
    wait "$daemon_pid" || true
}

median() { # FILE
    sort -n "$1" | sed -n "$(((pairs + 1) / 2))p"
}

for guest in one two three; do
    start_guest $guest pv $full_mib $full_mib
done
guests_ready one two three
n=0
while [ $n -lt $pairs ]; do
    bare
    ours
    note "pair $n: xl mem-set and polling $bare_took ($bare_set until the last xl mem-set was done), reserve $ours_took hundredths of a second"
    echo $bare_took >>/tmp/bare
    echo $ours_took >>/tmp/ours
    n=$((n + 1))
done
bare_median=$(median /tmp/bare)
ours_median=$(median /tmp/ours)
note "median of $pairs: xl mem-set and polling $bare_median, reserve to granted $ours_median hundredths of a second"
note "ratio $(awk -v ours="$ours_median" -v bare="$bare_median" 'BEGIN { printf "%.2f", ours / bare }')"
