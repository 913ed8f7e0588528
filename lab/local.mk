# SPDX-License-Identifier: GPL-2.0-or-later
# Real Xen in QEMU's emulation: make check-xen, and check-xen-full for what takes longer. See
# README.md.

LAB_SCENARIOS = \
	%D%/scenarios/agent-survives.sh \
	%D%/scenarios/balloon.sh \
	%D%/scenarios/daemon-killed.sh \
	%D%/scenarios/destroy-and-reboot.sh \
	%D%/scenarios/greedy-root.sh \
	%D%/scenarios/hostile.sh \
	%D%/scenarios/idle.sh \
	%D%/scenarios/killed-in-squeeze.sh \
	%D%/scenarios/levers.sh \
	%D%/scenarios/list-matches-xl.sh \
	%D%/scenarios/load-moves.sh \
	%D%/scenarios/low-memory.sh \
	%D%/scenarios/need.sh \
	%D%/scenarios/operations.sh \
	%D%/scenarios/override.sh \
	%D%/scenarios/policies-by-cron.sh \
	%D%/scenarios/pressure.sh \
	%D%/scenarios/reboot-keeps-memory.sh \
	%D%/scenarios/save-and-restore.sh \
	%D%/scenarios/start-makes-room.sh \
	%D%/scenarios/stuck-and-crashing.sh \
	%D%/scenarios/twelve-starts.sh \
	%D%/scenarios/two-starts.sh
LAB_SELF_TESTS = \
	%D%/self-test/fails.sh %D%/self-test/stumbles.sh %D%/self-test/waits.sh \
	%D%/self-test/hangs.sh %D%/self-test/passes.sh \
	%D%/self-test/takes-the-host-down.sh %D%/self-test/comes-too-late.sh

EXTRA_DIST += \
	%D%/README.md %D%/images %D%/run %D%/parts.sh %D%/self-test.sh \
	%D%/dom0/init %D%/dom0/job %D%/dom0/lib.sh %D%/dom0/json.awk \
	%D%/dom0/aftermath %D%/dom0/clean-up \
	%D%/guest/init %D%/guest/poweroff \
	$(LAB_SCENARIOS) $(LAB_SELF_TESTS)

if WITH_XEN
# Not static: libxenstore.a has no reader thread, and loses answers once there is a watch.
lab_programs = %D%/workload %D%/liar %D%/reaction
EXTRA_PROGRAMS += $(lab_programs)
%C%_workload_SOURCES = %D%/workload.c
%C%_workload_CFLAGS = $(AM_CFLAGS) $(XENSTORE_CFLAGS)
%C%_workload_LDADD = $(XENSTORE_LIBS)
%C%_liar_SOURCES = %D%/liar.c
%C%_liar_CFLAGS = $(AM_CFLAGS) $(XENSTORE_CFLAGS)
%C%_liar_LDADD = $(XENSTORE_LIBS)
%C%_reaction_SOURCES = %D%/reaction.c
%C%_reaction_CFLAGS = $(AM_CFLAGS) $(XENSTORE_CFLAGS)
%C%_reaction_LDADD = $(XENSTORE_LIBS)
CLEANFILES += $(lab_programs)

in_lab = XENMEM_BUILD='$(abs_top_builddir)' $(BASH_PROGRAM) '$(srcdir)'/%D%

check-xen check-xen-full: all $(lab_programs)
check-xen:
	$(in_lab)/run
	$(in_lab)/self-test.sh
check-xen-full:
	$(in_lab)/run --full
	$(in_lab)/self-test.sh
else
check-xen check-xen-full:
	@echo 'the lab needs a build with Xen: install libxen-dev, and configure again' >&2; exit 1
endif

# Downloads, images and logs are no part of a build; they go with it all the same.
distclean-local: lab-distclean
lab-distclean:
	rm -rf %D%/cache

.PHONY: check-xen check-xen-full lab-distclean
