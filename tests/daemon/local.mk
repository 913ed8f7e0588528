# SPDX-License-Identifier: GPL-2.0-or-later
DAEMON_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(LIBEVENT_CFLAGS)

check_PROGRAMS += \
	%D%/test_access \
	%D%/test_apply \
	%D%/test_connection \
	%D%/test_doctor \
	%D%/test_engine \
	%D%/test_hook_files \
	%D%/test_hook_process \
	%D%/test_layers \
	%D%/test_liars \
	%D%/test_nature \
	%D%/test_notify \
	%D%/test_options \
	%D%/test_pace \
	%D%/test_policy \
	%D%/test_registry \
	%D%/test_safety \
	%D%/test_socket_file \
	%D%/test_user
%C%_test_access_SOURCES = %D%/test_access.c
%C%_test_access_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_access_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_apply_SOURCES = %D%/test_apply.c %D%/stage.c %D%/stage.h
%C%_test_apply_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_apply_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_connection_SOURCES = %D%/test_connection.c %D%/client.c %D%/client.h
%C%_test_connection_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_connection_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_doctor_SOURCES = %D%/test_doctor.c %D%/stage.c %D%/stage.h
%C%_test_doctor_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_doctor_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_engine_SOURCES = %D%/test_engine.c %D%/stage.c %D%/stage.h
%C%_test_engine_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_engine_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_hook_files_SOURCES = %D%/test_hook_files.c
%C%_test_hook_files_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_hook_files_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_hook_process_SOURCES = %D%/test_hook_process.c
%C%_test_hook_process_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_hook_process_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_liars_SOURCES = %D%/test_liars.c %D%/stage.c %D%/stage.h
%C%_test_liars_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_liars_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_layers_SOURCES = %D%/test_layers.c
%C%_test_layers_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_layers_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_nature_SOURCES = %D%/test_nature.c %D%/view.c %D%/view.h
%C%_test_nature_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_nature_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_notify_SOURCES = %D%/test_notify.c
%C%_test_notify_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_notify_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_pace_SOURCES = %D%/test_pace.c
%C%_test_pace_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_pace_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_options_SOURCES = %D%/test_options.c
%C%_test_options_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_options_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_policy_SOURCES = %D%/test_policy.c
%C%_test_policy_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_policy_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_registry_SOURCES = %D%/test_registry.c %D%/view.c %D%/view.h
%C%_test_registry_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_registry_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_safety_SOURCES = %D%/test_safety.c %D%/stage.c %D%/stage.h
%C%_test_safety_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_safety_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_socket_file_SOURCES = %D%/test_socket_file.c
%C%_test_socket_file_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_socket_file_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
%C%_test_user_SOURCES = %D%/test_user.c %D%/client.c %D%/client.h
%C%_test_user_CPPFLAGS = $(DAEMON_TEST_CPPFLAGS)
%C%_test_user_LDADD = $(DAEMON_LIBS) $(CHECK_LIBS)
