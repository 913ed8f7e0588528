# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# The agent tells on after its own death, after save and restore, and while xenstored is updated.
# limit: 360
# full: a save and a restore

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest web pv 128 192
guests_ready web
configure '[vm *]' 'mode = dynamic' 'startup = 128m' 'minimum = 112m' 'maximum = 192m'
start_daemon
tells_on web "its start" 0

before=$(reported web seq)
load web "run killall -9 xenmem-agent"
tells_on web "its death" "$before"

before=$(reported web seq)
xl save web /tmp/web.save >/tmp/xl.log 2>&1
xl restore /tmp/web.save >/tmp/xl.log 2>&1
rm /tmp/web.save
tells_on web "save and restore" "$before"

before=$(reported web seq)
xenstore-control live-update /bin/xenstored >/tmp/update.log 2>&1 || {
    cat /tmp/update.log
    fail "xenstored's update"
}
tells_on web "the update of xenstored" "$before"
assert_safe web
