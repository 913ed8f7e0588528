# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Crashes dom0.
# limit: 20

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

echo c >/proc/sysrq-trigger
