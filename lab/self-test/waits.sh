# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Waits for what does not happen.
# limit: 20

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

wait_until 1 "a guest is there" seen "xl_mib nobody" -eq 1
