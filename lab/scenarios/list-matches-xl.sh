# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two PV guests and a populate-on-demand PVH one appear as xl shows them; the PVH one is balanced.
# limit: 240

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_daemon
start_guest pvh pvh 160 256
start_guest pv1 pv 128 256
start_guest pv2 pv 160 160
guests_ready pv1 pv2 pvh

for guest in pv1 pv2 pvh; do
    wait_until 60 "$guest runs" seen "vm $guest state" = running
    assert_equal "id of $guest" "$(vm "$guest" id)" "$(domid "$guest")"
    assert_equal "assigned MiB of $guest" $(($(vm "$guest" assigned_kib) / 1024)) "$(xl_mib "$guest")"
    assert_equal "target of $guest" "$(vm "$guest" target_kib)" "$(target_kib "$guest")"
    assert_equal "cap of $guest" "$(shown "$guest" cap_kib)" "$(xen_cap_kib "$guest")"
    assert_equal "mode of $guest" "$(vm "$guest" mode)" ignored
done
assert_equal "number of VMs" "$(host vms)" 3
assert_equal "free MiB" $((($(host free_kib) - $(host claimed_kib)) / 1024)) "$(xl_free_mib)"

# Nobody configured them: nothing was written.
assert_equal "actions" "$(events action)" ""
for guest in pv1 pv2 pvh; do
    assert_equal "our copy of the target of $guest" "$(of_guest "$guest" memory/xenmem-target)" ""
done

# Their agents report.
for guest in pv1 pv2 pvh; do
    wait_until 60 "the agent of $guest reports" seen "shown $guest source" = agent
    note "$guest: $(vm "$guest" assigned_kib) KiB assigned, $(vm "$guest" demand_kib) KiB needed"
done

# A guest that booted populate-on-demand follows, in both directions, and its cap with it.
ctl set pvh mode=dynamic minimum=100m startup=128m maximum=144m
wait_until 60 "pvh is told its maximum" seen "target_kib pvh" -eq $((144 * 1024))
wait_until 60 "pvh follows" seen "xl_mib pvh" -eq 144
ctl set pvh minimum=176m startup=176m maximum=256m
wait_until 60 "pvh is told its minimum" seen "target_kib pvh" -eq $((176 * 1024))
wait_until 60 "pvh follows" seen "xl_mib pvh" -eq 176
settled 30
assert_near "cap of pvh" "$(xen_cap_kib pvh)" $((177 * 1024)) 128
assert_equal "cap of pvh in show" "$(shown pvh cap_kib)" "$(xen_cap_kib pvh)"
