# SPDX-License-Identifier: GPL-2.0-or-later
# L3: the only folder that knows libevent. Everything but main.c is a library, which tests link too.
noinst_LIBRARIES += libxm_daemon.a
libxm_daemon_a_SOURCES = \
	%D%/apply.c %D%/apply.h \
	%D%/build.c %D%/build.h \
	%D%/daemon.c %D%/daemon.h \
	%D%/edges.c %D%/edges.h \
	%D%/engine.c %D%/engine.h \
	%D%/events.c %D%/events.h \
	%D%/freezes.c %D%/freezes.h \
	%D%/history.c %D%/history.h \
	%D%/host_lock.c %D%/host_lock.h \
	%D%/loop.c %D%/loop.h \
	%D%/memory.c %D%/memory.h \
	%D%/monotonic.c %D%/monotonic.h \
	%D%/notify.c %D%/notify.h \
	%D%/options.c %D%/options.h \
	%D%/overrides.c %D%/overrides.h \
	%D%/pace.c %D%/pace.h \
	%D%/registry.c %D%/registry.h \
	%D%/sim_host.c %D%/sim_host.h \
	%D%/snapshot.c %D%/snapshot.h \
	%D%/wall_clock.c %D%/wall_clock.h \
	%D%/clients/access.c %D%/clients/access.h \
	%D%/clients/audit.c %D%/clients/audit.h \
	%D%/clients/connection.c %D%/clients/connection.h \
	%D%/clients/connection_parts.h \
	%D%/clients/listening.c %D%/clients/listening.h \
	%D%/clients/request.c \
	%D%/clients/server.c %D%/clients/server.h \
	%D%/clients/shared.c %D%/clients/shared.h \
	%D%/clients/socket_file.c %D%/clients/socket_file.h \
	%D%/clients/user.c %D%/clients/user.h \
	%D%/hooks/hook_files.c %D%/hooks/hook_files.h \
	%D%/hooks/hook_process.c %D%/hooks/hook_process.h \
	%D%/hooks/hook_run.c %D%/hooks/hook_run.h \
	%D%/hooks/hooks.c %D%/hooks/hooks.h \
	%D%/methods/call.c \
	%D%/methods/describe.c %D%/methods/describe.h \
	%D%/methods/doctor.c %D%/methods/doctor.h \
	%D%/methods/methods.c %D%/methods/methods.h \
	%D%/methods/methods_balance.c \
	%D%/methods/methods_db.c \
	%D%/methods/methods_doctor.c \
	%D%/methods/methods_events.c \
	%D%/methods/methods_freeze.c \
	%D%/methods/methods_history.c \
	%D%/methods/methods_hooks.c \
	%D%/methods/methods_host.c \
	%D%/methods/methods_metrics.c \
	%D%/methods/methods_plan.c \
	%D%/methods/methods_policy.c \
	%D%/methods/methods_reservation.c \
	%D%/methods/methods_vm.c \
	%D%/methods/reservation_answer.c %D%/methods/reservation_answer.h \
	%D%/methods/set_request.c %D%/methods/set_request.h \
	%D%/methods/trial.c %D%/methods/trial.h \
	%D%/metrics/lag.c %D%/metrics/lag.h \
	%D%/metrics/meter.c %D%/metrics/meter.h \
	%D%/metrics/metrics.c %D%/metrics/metrics.h \
	%D%/metrics/scrape.c %D%/metrics/scrape.h \
	%D%/reservations/reservation.c \
	%D%/reservations/reservations.c %D%/reservations/reservations.h \
	%D%/reservations/reservations_parts.h \
	%D%/reservations/reservations_pass.c \
	%D%/settings/change.h \
	%D%/settings/change_describe.c \
	%D%/settings/change_rows.c \
	%D%/settings/changes.c %D%/settings/changes.h \
	%D%/settings/changes_load.c \
	%D%/settings/layers.c %D%/settings/layers.h \
	%D%/settings/policies.c %D%/settings/policies.h \
	%D%/settings/policy.c %D%/settings/policy.h \
	%D%/settings/section.c %D%/settings/section.h \
	%D%/settings/settings_text.c %D%/settings/settings_text.h
libxm_daemon_a_CPPFLAGS = $(AM_CPPFLAGS) $(LIBEVENT_CFLAGS)

sbin_PROGRAMS += %D%/xenmemd
%C%_xenmemd_SOURCES = %D%/main.c
%C%_xenmemd_LDADD = $(DAEMON_LIBS)

# What whoever links the daemon needs besides, from the top layer down.
DAEMON_LIBS = \
	libxm_daemon.a libxm_conf.a libxm_proto.a libxm_db.a libxm_hv.a libxm_core.a libxm_base.a \
	$(LIBEVENT_LIBS) $(INIH_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS) $(XEN_LIBS)
