# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += %D%/test_scenario %D%/test_host %D%/test_replay %D%/test_run

%C%_test_scenario_SOURCES = %D%/test_scenario.c
%C%_test_scenario_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
%C%_test_scenario_LDADD = $(SIM_LIBS) $(CHECK_LIBS)
%C%_test_host_SOURCES = %D%/test_host.c
%C%_test_host_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
%C%_test_host_LDADD = libxm_hv.a libxm_core.a libxm_base.a $(XEN_LIBS) $(CHECK_LIBS)
%C%_test_replay_SOURCES = %D%/test_replay.c
%C%_test_replay_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(LZMA_CFLAGS)
%C%_test_replay_LDADD = $(SIM_LIBS) $(CHECK_LIBS)
%C%_test_run_SOURCES = %D%/test_run.c
%C%_test_run_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
%C%_test_run_LDADD = $(SIM_LIBS) $(CHECK_LIBS)

TESTS += %D%/test_commands.py
EXTRA_DIST += %D%/test_commands.py
tests/sim/test_commands.log: sim/xenmem-sim$(EXEEXT)
