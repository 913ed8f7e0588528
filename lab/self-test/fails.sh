# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-or-later
# Fails, and leaves a guest behind.
# limit: 60

# shellcheck source=../dom0/lib.sh
. /lab/lib.sh

start_guest left-behind pv 128 128
assert_equal "the answer" 42 43
note "never said"
