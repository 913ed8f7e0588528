# SPDX-License-Identifier: GPL-2.0-or-later
# make check: programs with libcheck, one a topic; end-to-end tests and house checks as scripts.
#
# A script that has several cases ends with a line "N passed, N failed" and is counted so.

TEST_EXTENSIONS = .sh .py
SH_LOG_COMPILER = $(BASH_PROGRAM)
PY_LOG_COMPILER = $(PYTHON_PROGRAM)
BASH_PROGRAM = bash
PYTHON_PROGRAM = python3

# What every test finds in its environment. libcheck's own limit of 4 s is short for a busy machine.
AM_TESTS_ENVIRONMENT = \
	CK_DEFAULT_TIMEOUT=60; export CK_DEFAULT_TIMEOUT; \
	XENMEM_SRC='$(abs_top_srcdir)'; export XENMEM_SRC; \
	XENMEM_BUILD='$(abs_top_builddir)'; export XENMEM_BUILD; \
	XENMEM_CC='$(CC)'; export XENMEM_CC; \
	XENMEM_NM='$(NM)'; XENMEM_NM=$${XENMEM_NM%% *}; export XENMEM_NM; \
	XENMEM_CPPFLAGS='$(CPPFLAGS) $(LIBEVENT_CFLAGS) $(SQLITE_CFLAGS) $(JANSSON_CFLAGS) $(INIH_CFLAGS) $(CHECK_CFLAGS) $(XEN_CFLAGS)'; export XENMEM_CPPFLAGS; \
	XENMEM_WITH_XEN='$(with_xen_text)'; export XENMEM_WITH_XEN;

if WITH_XEN
with_xen_text = yes
else
with_xen_text = no
endif

include tests/base/local.mk
include tests/core/local.mk
include tests/etc/local.mk
include tests/hv/local.mk
include tests/db/local.mk
include tests/proto/local.mk
include tests/conf/local.mk
include tests/daemon/local.mk
include tests/libctl/local.mk
include tests/agent/local.mk
include tests/sim/local.mk
include tests/peers/local.mk
include tests/cli/local.mk
include tests/e2e/local.mk
include tests/fuzz/local.mk
include tests/check/local.mk
