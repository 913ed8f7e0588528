# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A start that needs room from three full guests is granted and succeeds; one that is not feasible moves nothing.
# limit: 300
# full: make check-xen has six minutes in all

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

# Their values, again and again, as long as the file /tmp/watch is there.
watch_keys() { # KEY…
    while [ -e /tmp/watch ]; do
        xenstore-read "$@" | tr '\n' ' '
        echo
        sleep 0.1
    done
}

looks() {
    wc -l </tmp/targets
}

three_full_guests
for guest in one two three; do
    load $guest "anon 20"
done
settled 60

set --
for guest in one two three; do
    set -- "$@" "/local/domain/$(domid $guest)/memory/target"
done
touch /tmp/watch
watch_keys "$@" >/tmp/targets &
watcher=$!
wait_until 30 "the targets are being looked at" seen looks -ge 1
write_guest big pv 512 512
code=0
ctl start /tmp/big.cfg >/tmp/big.out 2>&1 || code=$?
assert_equal "exit code of what is not feasible" $code 3
note "$(cat /tmp/big.out)"
sleep 5
wait_until 60 "the targets were looked at often enough" seen looks -ge 20
rm /tmp/watch
wait $watcher
note "looked $(looks) times at $(sort -u /tmp/targets)"
assert_equal "states that the targets were in" "$(sort -u /tmp/targets | wc -l)" 1
assert_equal "what each does" "$(for guest in one two three; do of_guest $guest data/workload-done; done | sort -u)" "anon 20"
assert_equal "domain big" "$(domid big)" ""

write_guest new pv 128 128
begin=$(now)
ctl start /tmp/new.cfg
note "built after $(since "$begin") s"
guests_ready new
wait_until 60 "nothing is kept any more" seen kept -eq 0
assert_between "new" "$(xl_mib new)" 127 129
for guest in one two three; do
    assert_between "$guest" "$(xl_mib $guest)" 95 177
done
assert_safe one two three new
