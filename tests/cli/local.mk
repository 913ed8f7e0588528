# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += %D%/test_arguments %D%/test_doctor_files %D%/test_table %D%/test_text %D%/test_when
%C%_test_arguments_SOURCES = %D%/test_arguments.c
%C%_test_arguments_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
%C%_test_arguments_LDADD = $(CLI_LIBS) $(CHECK_LIBS)
%C%_test_doctor_files_SOURCES = %D%/test_doctor_files.c
%C%_test_doctor_files_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
%C%_test_doctor_files_LDADD = libxm_cli.a libxm_base.a $(CHECK_LIBS)
%C%_test_table_SOURCES = %D%/test_table.c
%C%_test_table_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
%C%_test_table_LDADD = libxm_cli.a libxm_base.a $(CHECK_LIBS)
%C%_test_text_SOURCES = %D%/test_text.c
%C%_test_text_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
%C%_test_text_LDADD = libxm_cli.a libxm_base.a $(CHECK_LIBS)
%C%_test_when_SOURCES = %D%/test_when.c
%C%_test_when_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
%C%_test_when_LDADD = libxm_cli.a libxm_base.a $(CHECK_LIBS)

EXTRA_DIST += %D%/fake_xenmemd.py %D%/lib.sh
dist_check_SCRIPTS += %D%/commands.sh %D%/completion.sh
TESTS += %D%/commands.sh %D%/completion.sh
$(top_builddir)/%D%/commands.log $(top_builddir)/%D%/completion.log: cli/xenmemctl
dist_check_SCRIPTS += %D%/daemon.py %D%/protocol.py
TESTS += %D%/daemon.py %D%/protocol.py
$(top_builddir)/%D%/daemon.log: cli/xenmemctl daemon/xenmemd sim/xenmem-sim
