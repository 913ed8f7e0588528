# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# How soon a guest's report becomes a new target in xenstore, beside a bare write, watch, write.
# limit: 240

# shellcheck source=../../lab/dom0/lib.sh
. /lab/lib.sh

start_guest web pv 160 900
guests_ready web
configure '[vm *]' 'mode = dynamic' 'startup = 160m' 'minimum = 128m' 'maximum = 900m'
start_daemon
wait_until 60 "web reports" seen "vm web status" != unknown
settled 60
load web "run touch /tmp/quiet; killall xenmem-agent"
reaction "$(domid web)" 150 18 31
