# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# A command fails that nobody looks at.
# limit: 20

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

xenstore-read /no/such/key
note "never said"
