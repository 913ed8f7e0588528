# SPDX-License-Identifier: GPL-2.0-or-later
# L1: the decisions. Pure.
noinst_LIBRARIES += libxm_core.a
libxm_core_a_SOURCES = \
	%D%/admit.c %D%/admit.h \
	%D%/build.c %D%/build.h \
	%D%/decide.c %D%/decide.h \
	%D%/demand.c %D%/demand.h \
	%D%/divide.c %D%/divide.h \
	%D%/explain.c %D%/explain.h \
	%D%/model.c %D%/model.h \
	%D%/plan.c %D%/plan.h \
	%D%/reason.c %D%/reason.h \
	%D%/report.c %D%/report.h \
	%D%/settings.c %D%/settings.h \
	%D%/settle.c %D%/settle.h \
	%D%/share.c %D%/share.h \
	%D%/steady.c %D%/steady.h
