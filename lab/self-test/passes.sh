# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Passes: nothing of the ones before is left.
# limit: 20

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

assert_equal "the number of domains" "$(xl list | awk 'NR > 1' | wc -l)" 1
note "said by the one that passes"
