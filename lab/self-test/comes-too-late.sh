# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Would pass, if there were a host.
# limit: 20

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

note "never said"
