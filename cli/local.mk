# SPDX-License-Identifier: GPL-2.0-or-later
# L4: knows the client library only. Everything but main.c is a library, which tests link too.
noinst_LIBRARIES += libxm_cli.a
libxm_cli_a_CPPFLAGS = $(AM_CPPFLAGS) $(NCURSES_CFLAGS)
libxm_cli_a_SOURCES = \
	%D%/assign.c %D%/assign.h \
	%D%/change.c \
	%D%/cli.c %D%/cli.h \
	%D%/commands.c %D%/commands.h \
	%D%/database.c \
	%D%/doctor.c \
	%D%/doctor_files.c %D%/doctor_files.h \
	%D%/events.c \
	%D%/foresight.c %D%/foresight.h \
	%D%/freeze.c \
	%D%/history.c \
	%D%/hooks.c \
	%D%/look.c \
	%D%/metrics.c \
	%D%/plan.c \
	%D%/plot.c %D%/plot.h \
	%D%/policy.c \
	%D%/record.c %D%/record.h \
	%D%/reserve.c %D%/reserve.h \
	%D%/show.c \
	%D%/start.c \
	%D%/table.c %D%/table.h \
	%D%/text.c %D%/text.h \
	%D%/top.c %D%/top_draw.c %D%/top.h \
	%D%/version.c \
	%D%/when.c %D%/when.h \
	%D%/xl_config.c %D%/xl_config.h \
	%D%/xl_saved.c

bin_PROGRAMS += %D%/xenmemctl
%C%_xenmemctl_SOURCES = %D%/main.c
%C%_xenmemctl_LDADD = $(CLI_LIBS)

# What whoever links the CLI needs besides.
CLI_LIBS = libxm_cli.a libxenmemctl.la libxm_base.a $(NCURSES_LIBS)
