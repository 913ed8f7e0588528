# SPDX-License-Identifier: GPL-2.0-or-later
# L0: libc only.
noinst_LIBRARIES += libxm_base.a
libxm_base_a_CFLAGS = $(AM_CFLAGS) -fPIC
libxm_base_a_SOURCES = \
	%D%/err.c %D%/err.h \
	%D%/invariant.c %D%/invariant.h \
	%D%/log.c %D%/log.h \
	%D%/units.c %D%/units.h
