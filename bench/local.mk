# SPDX-License-Identifier: GPL-2.0-or-later
# Benchmarks: programs that print numbers and judge nothing. `make bench` builds and runs them all.

BENCHMARKS = %D%/decide
EXTRA_PROGRAMS += $(BENCHMARKS)

%C%_decide_SOURCES = %D%/decide.c
%C%_decide_LDADD = libxm_core.a libxm_base.a

.PHONY: bench
bench: $(BENCHMARKS)
	@for benchmark in $(BENCHMARKS); do ./$$benchmark || exit 1; done
