# SPDX-License-Identifier: GPL-2.0-or-later
PROTO_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(CHECK_CFLAGS)
PROTO_TEST_LIBS = libxm_proto.a libxm_base.a $(JANSSON_LIBS) $(CHECK_LIBS)

check_PROGRAMS += %D%/test_lines %D%/test_request %D%/test_writer %D%/test_message
%C%_test_lines_SOURCES = %D%/test_lines.c
%C%_test_lines_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
%C%_test_lines_LDADD = $(PROTO_TEST_LIBS)
%C%_test_request_SOURCES = %D%/test_request.c
%C%_test_request_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
%C%_test_request_LDADD = $(PROTO_TEST_LIBS)
%C%_test_writer_SOURCES = %D%/test_writer.c
%C%_test_writer_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
%C%_test_writer_LDADD = $(PROTO_TEST_LIBS)
%C%_test_message_SOURCES = %D%/test_message.c
%C%_test_message_CPPFLAGS = $(PROTO_TEST_CPPFLAGS)
%C%_test_message_LDADD = $(PROTO_TEST_LIBS)
