# SPDX-License-Identifier: GPL-2.0-or-later
# The program that runs in guests. Built where libxenstore is; it needs nothing else. Everything but
# main.c is a library, which tests link too.
if WITH_XEN
noinst_LIBRARIES += libxm_agent.a
libxm_agent_a_SOURCES = \
	%D%/agent.c %D%/agent.h \
	%D%/kernel.c %D%/kernel.h \
	%D%/need.c %D%/need.h \
	%D%/proc_text.c %D%/proc_text.h \
	%D%/store.c %D%/store.h \
	%D%/trigger.c %D%/trigger.h
libxm_agent_a_CPPFLAGS = $(AM_CPPFLAGS) $(XENSTORE_CFLAGS)

sbin_PROGRAMS += %D%/xenmem-agent
%C%_xenmem_agent_SOURCES = %D%/main.c
%C%_xenmem_agent_LDADD = libxm_agent.a libxm_core.a libxm_base.a $(XENSTORE_LIBS)

# make agent/xenmem-agent-static: one file that runs in any Linux guest, whatever libraries it has,
# and takes less memory than one that shares them with nobody.
EXTRA_PROGRAMS += %D%/xenmem-agent-static
%C%_xenmem_agent_static_SOURCES = %D%/main.c
%C%_xenmem_agent_static_LDFLAGS = -all-static -no-pie $(HARDEN_LDFLAGS)
%C%_xenmem_agent_static_LDADD = libxm_agent.a libxm_core.a libxm_base.a $(XENSTORE_STATIC_LIBS)
CLEANFILES += %D%/xenmem-agent-static
endif
