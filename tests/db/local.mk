# SPDX-License-Identifier: GPL-2.0-or-later
EXTRA_DIST += %D%/version-1.sql

DB_GROUND = %D%/ground.c %D%/ground.h %D%/disk.c %D%/disk.h
DB_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS) $(CHECK_CFLAGS)
DB_TEST_LIBS = libxm_db.a libxm_base.a $(SQLITE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %D%/test_open %D%/test_write %D%/test_disk %D%/test_history %D%/test_backup \
	%D%/test_journal %D%/test_mount
%C%_test_mount_SOURCES = %D%/test_mount.c $(DB_GROUND)
%C%_test_mount_CPPFLAGS = $(DB_TEST_CPPFLAGS)
%C%_test_mount_LDADD = $(DB_TEST_LIBS)
%C%_test_history_SOURCES = %D%/test_history.c $(DB_GROUND)
%C%_test_history_CPPFLAGS = $(DB_TEST_CPPFLAGS)
%C%_test_history_LDADD = $(DB_TEST_LIBS)
%C%_test_backup_SOURCES = %D%/test_backup.c $(DB_GROUND)
%C%_test_backup_CPPFLAGS = $(DB_TEST_CPPFLAGS)
%C%_test_backup_LDADD = $(DB_TEST_LIBS)
%C%_test_journal_SOURCES = %D%/test_journal.c $(DB_GROUND)
%C%_test_journal_CPPFLAGS = $(DB_TEST_CPPFLAGS)
%C%_test_journal_LDADD = $(DB_TEST_LIBS)
%C%_test_open_SOURCES = %D%/test_open.c $(DB_GROUND)
%C%_test_open_CPPFLAGS = $(DB_TEST_CPPFLAGS)
%C%_test_open_LDADD = $(DB_TEST_LIBS)
%C%_test_write_SOURCES = %D%/test_write.c $(DB_GROUND)
%C%_test_write_CPPFLAGS = $(DB_TEST_CPPFLAGS)
%C%_test_write_LDADD = $(DB_TEST_LIBS)
%C%_test_disk_SOURCES = %D%/test_disk.c $(DB_GROUND)
%C%_test_disk_CPPFLAGS = $(DB_TEST_CPPFLAGS)
%C%_test_disk_LDADD = $(DB_TEST_LIBS)
