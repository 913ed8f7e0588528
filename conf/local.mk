# SPDX-License-Identifier: GPL-2.0-or-later
# L2: the only folder that knows inih.
noinst_LIBRARIES += libxm_conf.a
libxm_conf_a_SOURCES = %D%/conf.c %D%/conf.h
libxm_conf_a_CPPFLAGS = $(AM_CPPFLAGS) $(INIH_CFLAGS)
