# SPDX-License-Identifier: GPL-2.0-or-later
# L2: the only folder that knows SQLite.
noinst_LIBRARIES += libxm_db.a
libxm_db_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
libxm_db_a_SOURCES = \
	%D%/aside.c \
	%D%/backup.c \
	%D%/db.c %D%/db.h \
	%D%/history.c \
	%D%/internal.h \
	%D%/jobs.c \
	%D%/open.c \
	%D%/schema.c %D%/schema.h \
	%D%/sql.c %D%/sql.h \
	%D%/statements.c \
	%D%/writer.c
