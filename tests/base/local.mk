# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += %D%/test_units %D%/test_err
%C%_test_units_SOURCES = %D%/test_units.c
%C%_test_units_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
%C%_test_units_LDADD = libxm_base.a $(CHECK_LIBS)
%C%_test_err_SOURCES = %D%/test_err.c
%C%_test_err_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
%C%_test_err_LDADD = libxm_base.a $(CHECK_LIBS)
