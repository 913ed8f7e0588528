# SPDX-License-Identifier: GPL-2.0-or-later
# L2: the hypervisor. only xen/ knows Xen.
noinst_LIBRARIES += libxm_hv.a
libxm_hv_a_CFLAGS = $(AM_CFLAGS) $(XEN_CFLAGS)
libxm_hv_a_SOURCES = \
	%D%/domain_state.c %D%/domain_state.h \
	%D%/exec_news.c %D%/exec_news.h \
	%D%/hv.c %D%/hv.h \
	%D%/hv_ops.h \
	%D%/moment.c %D%/moment.h \
	%D%/noise.c %D%/noise.h \
	%D%/rest.c %D%/rest.h \
	%D%/savers.c %D%/savers.h \
	%D%/sim/client.c %D%/sim/client.h \
	%D%/sim/demand.c %D%/sim/demand.h \
	%D%/sim/facts.c %D%/sim/facts.h \
	%D%/sim/fault.c %D%/sim/fault.h \
	%D%/sim/guest.c %D%/sim/guest.h \
	%D%/sim/local.c \
	%D%/sim/path.c \
	%D%/sim/session.c %D%/sim/session.h \
	%D%/sim/sim.c %D%/sim/sim.h \
	%D%/sim/step.c %D%/sim/step.h \
	%D%/sim/tell.c %D%/sim/tell.h \
	%D%/sim/toolstack.c %D%/sim/toolstack.h \
	%D%/sim/vm.c %D%/sim/vm.h \
	%D%/sim/wire.c %D%/sim/wire.h \
	%D%/sim/world.c %D%/sim/world.h \
	%D%/sim/write.c %D%/sim/write.h \
	%D%/sim/xl.c %D%/sim/xl.h
if WITH_XEN
libxm_hv_a_SOURCES += \
	%D%/xen/xen.c %D%/xen/xen.h \
	%D%/xen/xen_domains.c \
	%D%/xen/xen_store.c \
	%D%/xen/xen_write.c
endif
