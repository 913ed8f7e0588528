# SPDX-License-Identifier: GPL-2.0-or-later
# L3: simulated hosts. Everything but main.c is a library, which tests link too.
noinst_LIBRARIES += libxm_sim.a
libxm_sim_a_CPPFLAGS = $(AM_CPPFLAGS) $(LZMA_CFLAGS)
libxm_sim_a_SOURCES = \
	%D%/control.c %D%/control.h \
	%D%/host.c %D%/host.h \
	%D%/lines.c %D%/lines.h \
	%D%/pilot.c %D%/pilot.h \
	%D%/progress.c %D%/progress.h \
	%D%/replay.c %D%/replay.h \
	%D%/replay_command.c %D%/replay_command.h \
	%D%/replay_output.c %D%/replay_output.h \
	%D%/replay_page.c %D%/replay_page.h \
	%D%/run.c %D%/run.h \
	%D%/run_command.c %D%/run_command.h \
	%D%/run_output.c %D%/run_output.h \
	%D%/samples.c %D%/samples.h \
	%D%/scenario.c %D%/scenario.h \
	%D%/script.c %D%/script.h \
	%D%/trace.c %D%/trace.h

bin_PROGRAMS += %D%/xenmem-sim
%C%_xenmem_sim_SOURCES = %D%/main.c
%C%_xenmem_sim_LDADD = $(SIM_LIBS)

# What whoever links it needs besides, from the top layer down.
SIM_LIBS = libxm_sim.a $(DAEMON_LIBS) $(LZMA_LIBS)

scenariosdir = $(datadir)/xenmem/scenarios
dist_scenarios_DATA = %D%/scenarios/demo.scenario
