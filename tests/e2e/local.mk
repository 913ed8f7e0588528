# SPDX-License-Identifier: GPL-2.0-or-later
# Daemon, command line and simulated host together, as processes.

E2E_TESTS = \
	%D%/test_balance.py \
	%D%/test_disk.py \
	%D%/test_doctor.py \
	%D%/test_limits.py \
	%D%/test_metrics.py \
	%D%/test_freeze.py \
	%D%/test_guests.py \
	%D%/test_hooks.py \
	%D%/test_plan.py \
	%D%/test_policies.py \
	%D%/test_samples.py \
	%D%/test_reservations.py \
	%D%/test_settings.py \
	%D%/test_lifecycle.py \
	%D%/test_history.py
TESTS += $(E2E_TESTS)
EXTRA_DIST += $(E2E_TESTS) %D%/host.py

$(E2E_TESTS:.py=.log): daemon/xenmemd$(EXEEXT) cli/xenmemctl$(EXEEXT) sim/xenmem-sim$(EXEEXT)
