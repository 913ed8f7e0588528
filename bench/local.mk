# SPDX-License-Identifier: GPL-2.0-or-later
# Benchmarks: programs that print numbers and judge nothing. `make bench` builds and runs them all;
# README.md says what each measures.

BENCHMARKS = %D%/sim.sh %D%/tick %D%/history %D%/idle.sh %D%/busy.sh %D%/flood.sh %D%/refuse.py
if WITH_XEN
BENCHMARKS += %D%/agent.py
agent_static = agent/xenmem-agent-static
endif
benchmark_tools = %D%/decide %D%/tick %D%/history %D%/flood
EXTRA_PROGRAMS += $(benchmark_tools)
CLEANFILES += $(benchmark_tools)
EXTRA_DIST += %D%/agent.py %D%/instructions.sh %D%/instructions.txt %D%/sim.sh \
	%D%/busy.sh %D%/host.sh %D%/idle.sh %D%/flood.sh %D%/refuse.py %D%/README.md

%C%_flood_SOURCES = %D%/flood.c

%C%_tick_SOURCES = %D%/tick.c
%C%_tick_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)
%C%_tick_LDADD = $(DAEMON_LIBS)

%C%_history_SOURCES = %D%/history.c
%C%_history_LDADD = libxm_db.a libxm_base.a $(SQLITE_LIBS)

%C%_decide_SOURCES = %D%/decide.c
%C%_decide_LDADD = libxm_core.a libxm_base.a -lm

# make bench-xen: on real Xen, in the lab; one boot for all of them.
BENCH_XEN = %D%/xen/noisy-guest.sh %D%/xen/reaction.sh %D%/xen/reserve-to-granted.sh
EXTRA_DIST += $(BENCH_XEN)
if WITH_XEN
bench-xen: all $(lab_programs)
	$(in_lab)/run $(addprefix $(abs_srcdir)/,$(BENCH_XEN))
else
bench-xen:
	@echo 'this takes a build with Xen: install libxen-dev, and configure again' >&2; exit 1
endif

.PHONY: bench bench-xen
bench: all $(benchmark_tools) $(agent_static)
	@for what in '' --growth --admit; do \
		echo "== bench/decide $$what"; \
		bench/decide $$what || exit 1; \
	done
	@$(AM_TESTS_ENVIRONMENT) for benchmark in $(BENCHMARKS); do \
		echo "== $$benchmark"; \
		case $$benchmark in \
		*.sh) bash $(srcdir)/$$benchmark || exit 1 ;; \
		*.py) $(PYTHON_PROGRAM) $(srcdir)/$$benchmark || exit 1 ;; \
		*) ./$$benchmark || exit 1 ;; \
		esac; \
	done

# What a decision costs, in instructions: not more than was recorded.
.PHONY: check-instructions
check-instructions: bench/decide$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) bash $(srcdir)/bench/instructions.sh
