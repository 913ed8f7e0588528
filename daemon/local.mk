# SPDX-License-Identifier: GPL-2.0-or-later
# L3: the only folder that knows libevent. Everything but main.c is a library, which tests link too.
noinst_LIBRARIES += libxm_daemon.a
libxm_daemon_a_SOURCES = \
	%D%/access.c %D%/access.h \
	%D%/apply.c %D%/apply.h \
	%D%/audit.c %D%/audit.h \
	%D%/call.c \
	%D%/change.h %D%/change_describe.c %D%/change_rows.c \
	%D%/changes.c %D%/changes.h %D%/changes_load.c \
	%D%/connection.c %D%/connection.h %D%/connection_parts.h \
	%D%/daemon.c %D%/daemon.h \
	%D%/describe.c %D%/describe.h \
	%D%/doctor.c %D%/doctor.h \
	%D%/edges.c %D%/edges.h \
	%D%/engine.c %D%/engine.h \
	%D%/events.c %D%/events.h \
	%D%/history.c %D%/history.h \
	%D%/hook_files.c %D%/hook_files.h \
	%D%/hook_process.c %D%/hook_process.h \
	%D%/hooks.c %D%/hooks.h \
	%D%/lag.c %D%/lag.h \
	%D%/layers.c %D%/layers.h \
	%D%/loop.c %D%/loop.h \
	%D%/memory.c %D%/memory.h \
	%D%/meter.c %D%/meter.h \
	%D%/metrics.c %D%/metrics.h \
	%D%/notify.c %D%/notify.h \
	%D%/options.c %D%/options.h \
	%D%/policies.c %D%/policies.h \
	%D%/policy.c %D%/policy.h \
	%D%/registry.c %D%/registry.h \
	%D%/freezes.c %D%/freezes.h \
	%D%/reservation.c \
	%D%/reservation_answer.c %D%/reservation_answer.h \
	%D%/reservations.c %D%/reservations.h \
	%D%/scrape.c %D%/scrape.h \
	%D%/server.c %D%/server.h \
	%D%/shared.c %D%/shared.h \
	%D%/settings_text.c %D%/settings_text.h \
	%D%/set_request.c %D%/set_request.h \
	%D%/sim_host.c %D%/sim_host.h \
	%D%/snapshot.c %D%/snapshot.h \
	%D%/trial.c %D%/trial.h \
	%D%/methods_plan.c \
	%D%/socket_file.c %D%/socket_file.h \
	%D%/wall_clock.c %D%/wall_clock.h \
	%D%/user.c %D%/user.h \
	%D%/methods.c %D%/methods.h \
	%D%/methods_balance.c \
	%D%/methods_db.c \
	%D%/methods_events.c \
	%D%/methods_history.c \
	%D%/methods_hooks.c \
	%D%/methods_host.c \
	%D%/methods_doctor.c \
	%D%/methods_metrics.c \
	%D%/methods_freeze.c \
	%D%/methods_policy.c \
	%D%/methods_reservation.c \
	%D%/methods_vm.c
libxm_daemon_a_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)

sbin_PROGRAMS += %D%/xenmemd
%C%_xenmemd_SOURCES = %D%/main.c
%C%_xenmemd_LDADD = $(DAEMON_LIBS)

# What whoever links the daemon needs besides, from the top layer down.
DAEMON_LIBS = \
	libxm_daemon.a libxm_conf.a libxm_proto.a libxm_db.a libxm_hv.a libxm_core.a libxm_base.a \
	$(LIBEVENT_LIBS) $(INIH_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS) $(XEN_LIBS)
