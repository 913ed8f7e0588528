# L2: the hypervisor. hv_xen* are the only files here that know Xen.
noinst_LIBRARIES += libxm_hv.a
libxm_hv_a_CFLAGS = $(AM_CFLAGS) $(XEN_CFLAGS)
libxm_hv_a_SOURCES = \
	%D%/domain_state.c %D%/domain_state.h \
	%D%/hv.c %D%/hv.h %D%/hv_ops.h
if WITH_XEN
libxm_hv_a_SOURCES += \
	%D%/hv_xen.c %D%/hv_xen.h \
	%D%/hv_xen_domains.c \
	%D%/hv_xen_store.c \
	%D%/hv_xen_write.c
endif
