# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += %D%/test_peers

%C%_test_peers_SOURCES = %D%/test_peers.c
%C%_test_peers_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
%C%_test_peers_LDADD = $(SIM_LIBS) $(CHECK_LIBS)

PEERS_SCENARIOS = \
	%D%/a-bad-value-harms-nobody.scenario \
	%D%/a-move-does-not-shrink.scenario \
	%D%/a-small-one-can-start.scenario \
	%D%/a-stuck-one-costs-what-it-keeps.scenario \
	%D%/balancing-goes-on.scenario \
	%D%/boot-storm.scenario \
	%D%/counted-once.scenario \
	%D%/freed-stays-free.scenario \
	%D%/hyperv-worked.scenario \
	%D%/no-driver-no-harm.scenario \
	%D%/no-false-refusal.scenario \
	%D%/no-swinging-around-a-stuck-one.scenario \
	%D%/not-grown-for-nothing.scenario \
	%D%/overhead-counts.scenario \
	%D%/paused-ones-are-safe.scenario \
	%D%/priorities.scenario \
	%D%/proxmox-equals.scenario \
	%D%/proxmox-shares.scenario \
	%D%/qmemman-balance.scenario \
	%D%/squeezed-a.scenario \
	%D%/squeezed-b.scenario \
	%D%/squeezed-c.scenario \
	%D%/squeezed-d.scenario \
	%D%/squeezed-e.scenario \
	%D%/squeezed-h.scenario \
	%D%/squeezed-h-keep.scenario \
	%D%/starts-are-not-squeezed.scenario \
	%D%/switched-off.scenario \
	%D%/unused-goes-back.scenario \
	%D%/who-swaps-is-given-memory.scenario
EXTRA_DIST += %D%/README.md $(PEERS_SCENARIOS)
