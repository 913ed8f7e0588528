# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# History, metrics and doctor tell of real guests what Xen and xl say; doctor names what is wrong with dom0.
# limit: 180
# full: make check-xen has six minutes in all

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

mkdir -p /etc/xen
cp /etc/xen/xl.conf /tmp/xl.conf.before 2>/dev/null || : >/tmp/xl.conf.before
echo 'autoballoon="on"' >/etc/xen/xl.conf
configure '[vm *]' 'mode = dynamic' 'minimum = 128m'
start_guest web pv 160 256
start_daemon
guests_ready web
settled 60

# What is wrong with this dom0 is named, with what to do; and once it is mended, no longer.
ctl doctor >/tmp/doctor && fail "doctor finds nothing wrong: $(cat /tmp/doctor)"
grep -q '^wrong *.*xl.conf has autoballoon on' /tmp/doctor || fail "doctor says: $(cat /tmp/doctor)"
grep -q -- '-> write autoballoon="off" into it' /tmp/doctor || fail "doctor says: $(cat /tmp/doctor)"
echo 'autoballoon="off"' >/etc/xen/xl.conf
ctl doctor >/tmp/doctor || true
! grep -q autoballoon /tmp/doctor || fail "doctor still says: $(cat /tmp/doctor)"
note "doctor of this dom0:"
sed 's/^/    /' /tmp/doctor

# Somebody else's hand.
xl mem-set web 144
wait_until 30 "doctor names the target that was set by hand" sh -c \
    'xenmemctl --socket /run/xenmem/xenmemd.sock doctor | grep "web: its target 144 MiB was set by somebody else"'
ctl balance --clear-overrides
settled 60

# Metrics are what Xen says.
ctl metrics >/tmp/metrics
metric() { # NAME-WITH-LABELS
    awk -v name="$1" '$1 == name { print $2 }' /tmp/metrics
}
assert_equal "the last line" "$(tail -n 1 /tmp/metrics)" "# EOF"
assert_equal "simulated" "$(metric xenmem_host_simulated)" 0
assert_equal "running VMs" "$(metric xenmem_host_vms)" 1
assert_near "MiB of web" $(($(metric 'xenmem_vm_physical_memory_bytes{vm="web"}') / 1048576)) "$(xl_mib web)" 2
assert_near "MiB of the host" $(($(metric xenmem_host_physical_memory_bytes) / 1048576)) \
    "$(xl info total_memory)" 1

# History has a sample of both by now, or within the next ten seconds.
samples_of() { # VM
    ctl --format csv history "$1" | tail -n +2 | wc -l
}
wait_until 60 "web has a history" seen "samples_of web" -ge 2
assert_between "samples of the host" "$(samples_of host)" 2 100
ctl history web --plot >/tmp/plot
grep -q assigned /tmp/plot || fail "the plot shows: $(cat /tmp/plot)"
cp /tmp/xl.conf.before /etc/xen/xl.conf
