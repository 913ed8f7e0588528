# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += %D%/test_conf
%C%_test_conf_SOURCES = %D%/test_conf.c
%C%_test_conf_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
%C%_test_conf_LDADD = libxm_conf.a libxm_base.a $(INIH_LIBS) $(CHECK_LIBS)
