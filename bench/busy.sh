#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What xenmemd costs with so many VMs whose need all changes every second: the share of one CPU that its
# loop takes, and its other threads (the database's writer).
#
# usage: busy.sh [VMS [SECONDS]]

set -u
vms=${1:-200}
seconds=${2:-20}
# shellcheck source=host.sh
. "${BASH_SOURCE%/*}/host.sh"

# CPU time of threads in ns: "LOOP OTHERS".
cpu() {
    awk -v loop="/task/$daemon/" 'index(FILENAME, loop) { mine = $1; next } { others += $1 }
        END { print mine, others + 0 }' "/proc/$daemon"/task/*/schedstat
}

percent() { # NS
    awk -v spent="$1" -v seconds="$seconds" 'BEGIN { printf "%.2f", spent / seconds / 1e7 }'
}

start_daemon "$vms" "sine 300m 900m every 97s"
sleep 10
read -r loop others < <(cpu)
before=$(passes)
sleep "$seconds"
read -r loop_after others_after < <(cpu)
echo "busy xenmemd, $vms VMs (simulated host) that all change every second, over $seconds s:"
printf '%-28s %8s %% of a CPU\n' "the loop" "$(percent $((loop_after - loop)))"
printf '%-28s %8s %%\n' "other threads" "$(percent $((others_after - others)))"
printf '%-28s %8d\n' "passes" $(($(passes) - before))
grep ' pass ' "$stage/log" | tail -n $(($(passes) - before)) |
    awk '{ for (i = 1; i <= NF; i++) if (sub(/^store_reads=/, "", $i)) sum += $i }
         END { if (NR) printf "%-28s %8.1f\n", "guests read again a pass", sum / NR }'
