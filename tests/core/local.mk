# SPDX-License-Identifier: GPL-2.0-or-later
# The core alone: what these programs link is the proof that it needs nothing else.
CORE_TESTS = \
	%D%/test_build \
	%D%/test_settings \
	%D%/test_report \
	%D%/test_demand \
	%D%/test_divide \
	%D%/test_share \
	%D%/test_settle \
	%D%/test_plan \
	%D%/test_decide \
	%D%/test_explain \
	%D%/test_properties
check_PROGRAMS += $(CORE_TESTS)

check_LIBRARIES += %D%/libpaper.a
%C%_libpaper_a_SOURCES = \
	%D%/paper.c %D%/paper.h \
	%D%/suite.c %D%/suite.h
%C%_libpaper_a_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)

CORE_TEST_LIBS = tests/core/libpaper.a libxm_core.a libxm_base.a $(CHECK_LIBS)
CORE_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
%C%_test_settings_SOURCES = %D%/test_settings.c
%C%_test_settings_CFLAGS = $(CORE_TEST_CFLAGS)
%C%_test_settings_LDADD = $(CORE_TEST_LIBS)
%C%_test_build_SOURCES = %D%/test_build.c
%C%_test_build_CFLAGS = $(CORE_TEST_CFLAGS)
%C%_test_build_LDADD = $(CORE_TEST_LIBS)
%C%_test_report_SOURCES = %D%/test_report.c
%C%_test_report_CFLAGS = $(CORE_TEST_CFLAGS)
%C%_test_report_LDADD = $(CORE_TEST_LIBS)
%C%_test_demand_SOURCES = %D%/test_demand.c
%C%_test_demand_CFLAGS = $(CORE_TEST_CFLAGS)
%C%_test_demand_LDADD = $(CORE_TEST_LIBS)
%C%_test_divide_SOURCES = %D%/test_divide.c
%C%_test_divide_CFLAGS = $(CORE_TEST_CFLAGS)
%C%_test_divide_LDADD = $(CORE_TEST_LIBS)
%C%_test_share_SOURCES = %D%/test_share.c
%C%_test_share_CFLAGS = $(CORE_TEST_CFLAGS)
%C%_test_share_LDADD = $(CORE_TEST_LIBS)
%C%_test_settle_SOURCES = %D%/test_settle.c
%C%_test_settle_CFLAGS = $(CORE_TEST_CFLAGS)
%C%_test_settle_LDADD = $(CORE_TEST_LIBS)
%C%_test_explain_SOURCES = %D%/test_explain.c
%C%_test_explain_CFLAGS = $(CORE_TEST_CFLAGS)
%C%_test_explain_LDADD = $(CORE_TEST_LIBS)
%C%_test_plan_SOURCES = %D%/test_plan.c
%C%_test_plan_CFLAGS = $(CORE_TEST_CFLAGS)
%C%_test_plan_LDADD = $(CORE_TEST_LIBS)
%C%_test_decide_SOURCES = %D%/test_decide.c
%C%_test_decide_CFLAGS = $(CORE_TEST_CFLAGS)
%C%_test_decide_LDADD = $(CORE_TEST_LIBS)
%C%_test_properties_SOURCES = \
	%D%/test_properties.c %D%/random.h \
	%D%/world.c %D%/world.h %D%/generate.c \
	%D%/as_scenario.c %D%/as_scenario.h \
	%D%/promises.c %D%/promises.h \
	%D%/promises_write.c %D%/promises_share.c %D%/promises_time.c \
	%D%/shrink.c %D%/shrink.h
%C%_test_properties_CFLAGS = $(CORE_TEST_CFLAGS)
%C%_test_properties_LDADD = $(CORE_TEST_LIBS)

# As long as it is told: make check-properties SECONDS=3600
SECONDS = 600
.PHONY: check-properties
check-properties: %D%/test_properties
	XENMEM_PROPERTY_SEED=`date +%s` XENMEM_PROPERTY_SECONDS=$(SECONDS) ./%D%/test_properties
