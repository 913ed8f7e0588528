# SPDX-License-Identifier: GPL-2.0-or-later
# Benchmarks: programs that print numbers and judge nothing. `make bench` builds and runs them all.

BENCHMARKS =
EXTRA_PROGRAMS += $(BENCHMARKS)

.PHONY: bench
bench: $(BENCHMARKS)
	@for benchmark in $(BENCHMARKS); do ./$$benchmark || exit 1; done
