# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Twelve guests start one after the other on a host too small for their maximums, and even for their startup memory.
# limit: 1500
# full: the boots of twelve guests

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

set -- g1 g2 g3 g4 g5 g6 g7 g8 g9 g10 g11 g12

# Twelve need 1548 MiB to start, and may have 3084.
leave_free 1400
configure "[vm *]" "mode = dynamic" "minimum = 96m" "startup = 128m" "maximum = 256m"
start_daemon
for name in "$@"; do
    write_guest "$name" pv 128 256
    begin=$(now)
    ctl start "/tmp/$name.cfg" --wait 60s
    note "$name is built after $(since "$begin") s; $(xl_free_mib) MiB are free"
    guests_ready "$name"
done
wait_until 60 "nothing is kept any more" seen kept -eq 0
squeezed=0
for name in "$@"; do
    target=$(target_kib "$name")
    assert_between "target of $name" "$target" $((96 * 1024)) $((256 * 1024))
    [ "$target" -ge $((128 * 1024)) ] || squeezed=$((squeezed + 1))
    assert_equal "what $name does" "$(of_guest "$name" data/workload-done)" ready
done
assert_safe "$@"
note "$squeezed of twelve made room for the last"
assert_between "guests that made room for the last" $squeezed 1 12
