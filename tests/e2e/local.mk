# SPDX-License-Identifier: GPL-2.0-or-later
# Daemon, command line and simulated host together, as processes.

E2E_TESTS = \
	%D%/test_balance.py \
	%D%/test_disk.py \
	%D%/test_doctor.py \
	%D%/test_limits.py \
	%D%/test_metrics.py \
	%D%/test_freeze.py \
	%D%/test_kills.py \
	%D%/test_guests.py \
	%D%/test_hooks.py \
	%D%/test_plan.py \
	%D%/test_policies.py \
	%D%/test_samples.py \
	%D%/test_reservations.py \
	%D%/test_settings.py \
	%D%/test_toolstacks.py \
	%D%/test_lifecycle.py \
	%D%/test_history.py
# `make check E2E_CHECKS=` leaves them out.
E2E_CHECKS = $(E2E_TESTS)
TESTS += $(E2E_CHECKS)
EXTRA_DIST += $(E2E_TESTS) %D%/host.py

$(E2E_TESTS:.py=.log): daemon/xenmemd$(EXEEXT) cli/xenmemctl$(EXEEXT) sim/xenmem-sim$(EXEEXT)

# The daemon killed at so many random instants: make check-kills KILLS=1000
KILLS = 1000
.PHONY: check-kills
check-kills: all
	$(AM_TESTS_ENVIRONMENT) XENMEM_KILLS=$(KILLS) $(PYTHON3) $(srcdir)/%D%/test_kills.py
