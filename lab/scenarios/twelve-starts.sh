# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Twelve guests start one after the other on a host too small for their maximums.
# limit: 1500
# full: the boots of twelve guests

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

leave_free 1500
configure "[vm *]" "mode = dynamic" "minimum = 96m" "startup = 128m" "maximum = 256m"
start_daemon
n=1
while [ $n -le 12 ]; do
    write_guest g$n pv 128 256
    begin=$(now)
    ctl start /tmp/g$n.cfg --wait 60s
    guests_ready g$n
    note "g$n is up after $(since "$begin") s; $(xl_free_mib) MiB are free"
    n=$((n + 1))
done
wait_until 60 "nothing is kept any more" seen kept -eq 0
n=1
while [ $n -le 12 ]; do
    assert_between "target of g$n" "$(target_kib g$n)" $((96 * 1024)) $((256 * 1024))
    assert_safe g$n
    n=$((n + 1))
done
