# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Never ends.
# limit: 3

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

sleep 1000
