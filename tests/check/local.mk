# SPDX-License-Identifier: GPL-2.0-or-later
# House checks: rules turned into scripts. `make check HOUSE_CHECKS=` leaves them out.

HOUSE_CHECKS = \
	%D%/layers.sh \
	%D%/knowledge.sh \
	%D%/purity.sh \
	%D%/headers.sh \
	%D%/traces.sh \
	%D%/format.sh \
	%D%/shell.sh \
	%D%/self-test.sh
TESTS += $(HOUSE_CHECKS)

EXTRA_DIST += \
	%D%/lib.sh %D%/core-symbols.allow \
	%D%/layers.sh %D%/knowledge.sh %D%/purity.sh %D%/headers.sh \
	%D%/traces.sh %D%/format.sh %D%/shell.sh %D%/self-test.sh

$(top_builddir)/%D%/purity.log: libxm_core.a
