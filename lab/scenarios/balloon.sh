# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Xen itself, without our daemon: guests of both kinds boot, use memory, and balloon both ways.
# limit: 240
# full: about Xen and the lab, not about us

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest pv pv 160 256
start_guest pvh pvh 160 256
guests_ready pv pvh

for guest in pv pvh; do
    begin=$(now)
    load "$guest" "anon 60"
    note "$guest: 60 MiB in use after $(since "$begin") s"
    xl mem-set "$guest" 200
    wait_until 60 "$guest has 200 MiB" seen "xl_mib $guest" -eq 200
    assert_near "cap of $guest" "$(xen_cap_kib "$guest")" $((201 * 1024)) 1024
    assert_not_killed "$guest" "anon 60"
    xl mem-set "$guest" 150
    wait_until 60 "$guest has 150 MiB" seen "xl_mib $guest" -eq 150
    assert_not_killed "$guest" "anon 60"
done
