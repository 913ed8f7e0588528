# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += %D%/test_connection %D%/test_waiting
%C%_test_connection_SOURCES = %D%/test_connection.c
%C%_test_connection_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
%C%_test_connection_LDADD = libxenmemctl.la $(CHECK_LIBS)
%C%_test_waiting_SOURCES = %D%/test_waiting.c
%C%_test_waiting_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
%C%_test_waiting_LDADD = libxenmemctl.la $(CHECK_LIBS)

dist_check_SCRIPTS += %D%/symbols.sh
TESTS += %D%/symbols.sh
$(top_builddir)/%D%/symbols.log: libxenmemctl.la
