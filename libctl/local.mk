# SPDX-License-Identifier: GPL-2.0-or-later
# L3: the client library. What proto/ and base/ have is linked into it and hidden by the map.
lib_LTLIBRARIES += libxenmemctl.la
libxenmemctl_la_SOURCES = \
	%D%/connection.c \
	%D%/error.c \
	%D%/internal.h \
	%D%/io.c \
	%D%/request.c \
	%D%/value.c \
	%D%/xenmemctl.h
libxenmemctl_la_LIBADD = libxm_proto.a libxm_base.a $(JANSSON_LIBS)
libxenmemctl_la_LDFLAGS = \
	$(SHARED_LINK_FLAGS) -no-undefined \
	-version-info $(LIBCTL_VERSION_INFO) \
	-Wl,--version-script=$(top_srcdir)/%D%/libxenmemctl.map
EXTRA_libxenmemctl_la_DEPENDENCIES = $(top_srcdir)/%D%/libxenmemctl.map
EXTRA_DIST += %D%/libxenmemctl.map

include_HEADERS += %D%/xenmemctl.h
pkgconfigdir = $(libdir)/pkgconfig
nodist_pkgconfig_DATA = %D%/libxenmemctl.pc
