# SPDX-License-Identifier: GPL-2.0-or-later
# L2: the hypervisor. hv_xen* are the only files here that know Xen.
noinst_LIBRARIES += libxm_hv.a
libxm_hv_a_CFLAGS = $(AM_CFLAGS) $(XEN_CFLAGS)
libxm_hv_a_SOURCES = \
	%D%/domain_state.c %D%/domain_state.h \
	%D%/hv.c %D%/hv.h %D%/hv_ops.h \
	%D%/hv_sim.c %D%/hv_sim.h \
	%D%/hv_sim_client.c %D%/hv_sim_client.h \
	%D%/hv_sim_demand.c %D%/hv_sim_demand.h \
	%D%/hv_sim_facts.c %D%/hv_sim_facts.h \
	%D%/hv_sim_guest.c \
	%D%/hv_sim_local.c \
	%D%/hv_sim_path.c \
	%D%/hv_sim_session.c %D%/hv_sim_session.h \
	%D%/hv_sim_tell.c \
	%D%/hv_sim_toolstack.c \
	%D%/hv_sim_vm.c %D%/hv_sim_vm.h \
	%D%/hv_sim_wire.c %D%/hv_sim_wire.h \
	%D%/hv_sim_world.c %D%/hv_sim_world.h \
	%D%/hv_sim_write.c \
	%D%/hv_sim_xl.c %D%/hv_sim_xl.h \
	%D%/noise.c %D%/noise.h \
	%D%/rest.c %D%/rest.h
if WITH_XEN
libxm_hv_a_SOURCES += \
	%D%/hv_xen.c %D%/hv_xen.h \
	%D%/hv_xen_domains.c \
	%D%/hv_xen_store.c \
	%D%/hv_xen_write.c
endif
