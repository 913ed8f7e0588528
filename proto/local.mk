# SPDX-License-Identifier: GPL-2.0-or-later
# L2: the only folder that knows JSON.
noinst_LIBRARIES += libxm_proto.a
libxm_proto_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) -fPIC
libxm_proto_a_SOURCES = \
	%D%/internal.h \
	%D%/lines.c \
	%D%/message.c \
	%D%/proto.h \
	%D%/records.c %D%/records.h \
	%D%/request.c \
	%D%/writer.c
