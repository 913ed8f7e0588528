# SPDX-License-Identifier: GPL-2.0-or-later
EXTRA_DIST += \
	%D%/test_agent.py \
	%D%/texts/meminfo-2.6.32 %D%/texts/meminfo-4.19 %D%/texts/meminfo-6.1 %D%/texts/meminfo-6.18

if WITH_XEN
check_PROGRAMS += %D%/test_proc_text %D%/test_kernel %D%/test_need %D%/test_trigger
%C%_test_proc_text_SOURCES = %D%/test_proc_text.c
%C%_test_proc_text_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
%C%_test_proc_text_LDADD = $(AGENT_TEST_LIBS)
%C%_test_kernel_SOURCES = %D%/test_kernel.c
%C%_test_kernel_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
%C%_test_kernel_LDADD = $(AGENT_TEST_LIBS)
%C%_test_need_SOURCES = %D%/test_need.c
%C%_test_need_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
%C%_test_need_LDADD = $(AGENT_TEST_LIBS)
%C%_test_trigger_SOURCES = %D%/test_trigger.c
%C%_test_trigger_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
%C%_test_trigger_LDADD = $(AGENT_TEST_LIBS)
AGENT_TEST_LIBS = libxm_agent.a libxm_core.a libxm_base.a $(XENSTORE_LIBS) $(CHECK_LIBS)

TESTS += %D%/test_agent.py
$(top_builddir)/%D%/test_agent.log: agent/xenmem-agent
endif
