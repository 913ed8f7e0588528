# SPDX-License-Identifier: GPL-2.0-or-later
# House checks: rules turned into scripts. `make check HOUSE_CHECKS=` leaves them out.

HOUSE_CHECKS = \
	%D%/layers.sh \
	%D%/knowledge.sh \
	%D%/purity.sh \
	%D%/headers.sh \
	%D%/traces.sh \
	%D%/config.sh \
	%D%/events.sh \
	%D%/format.sh \
	%D%/shell.sh \
	%D%/counting.sh \
	%D%/self-test.sh
TESTS += $(HOUSE_CHECKS)

EXTRA_DIST += \
	%D%/lib.sh %D%/core-symbols.allow \
	%D%/layers.sh %D%/knowledge.sh %D%/purity.sh %D%/headers.sh \
	%D%/traces.sh %D%/counting.sh %D%/config.sh %D%/events.sh %D%/format.sh %D%/shell.sh %D%/self-test.sh

$(top_builddir)/%D%/purity.log: libxm_core.a

check_PROGRAMS += %D%/test_installed_conf
%C%_test_installed_conf_SOURCES = %D%/test_installed_conf.c
%C%_test_installed_conf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
%C%_test_installed_conf_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
