# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += \
	%D%/test_domain_state %D%/test_moment %D%/test_noise %D%/test_rest %D%/test_savers \
	%D%/test_sim_guest %D%/test_sim_random %D%/test_sim_toolstack %D%/test_sim_vm \
	%D%/test_sim_wire %D%/test_sim_write

HV_STORY = %D%/story.c %D%/story.h
HV_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
HV_TEST_LIBS = libxm_hv.a libxm_core.a libxm_base.a $(XEN_LIBS) $(CHECK_LIBS)

%C%_test_domain_state_SOURCES = %D%/test_domain_state.c
%C%_test_domain_state_CPPFLAGS = $(HV_TEST_CPPFLAGS)
%C%_test_domain_state_LDADD = $(HV_TEST_LIBS)
%C%_test_moment_SOURCES = %D%/test_moment.c
%C%_test_moment_CPPFLAGS = $(HV_TEST_CPPFLAGS)
%C%_test_moment_LDADD = $(HV_TEST_LIBS)
%C%_test_noise_SOURCES = %D%/test_noise.c
%C%_test_noise_CPPFLAGS = $(HV_TEST_CPPFLAGS)
%C%_test_noise_LDADD = $(HV_TEST_LIBS)
%C%_test_rest_SOURCES = %D%/test_rest.c
%C%_test_rest_CPPFLAGS = $(HV_TEST_CPPFLAGS)
%C%_test_rest_LDADD = $(HV_TEST_LIBS)
%C%_test_savers_SOURCES = %D%/test_savers.c
%C%_test_savers_CPPFLAGS = $(HV_TEST_CPPFLAGS)
%C%_test_savers_LDADD = $(HV_TEST_LIBS)
%C%_test_sim_guest_SOURCES = %D%/test_sim_guest.c $(HV_STORY)
%C%_test_sim_guest_CPPFLAGS = $(HV_TEST_CPPFLAGS)
%C%_test_sim_guest_LDADD = $(HV_TEST_LIBS)
%C%_test_sim_toolstack_SOURCES = %D%/test_sim_toolstack.c $(HV_STORY)
%C%_test_sim_toolstack_CPPFLAGS = $(HV_TEST_CPPFLAGS)
%C%_test_sim_toolstack_LDADD = $(HV_TEST_LIBS)
%C%_test_sim_write_SOURCES = %D%/test_sim_write.c $(HV_STORY)
%C%_test_sim_write_CPPFLAGS = $(HV_TEST_CPPFLAGS)
%C%_test_sim_write_LDADD = $(HV_TEST_LIBS)
%C%_test_sim_vm_SOURCES = %D%/test_sim_vm.c $(HV_STORY)
%C%_test_sim_vm_CPPFLAGS = $(HV_TEST_CPPFLAGS)
%C%_test_sim_vm_LDADD = $(HV_TEST_LIBS)
%C%_test_sim_wire_SOURCES = %D%/test_sim_wire.c $(HV_STORY)
%C%_test_sim_wire_CPPFLAGS = $(HV_TEST_CPPFLAGS)
%C%_test_sim_wire_LDADD = $(HV_TEST_LIBS)
%C%_test_sim_random_SOURCES = %D%/test_sim_random.c $(HV_STORY)
%C%_test_sim_random_CPPFLAGS = $(HV_TEST_CPPFLAGS)
%C%_test_sim_random_LDADD = $(HV_TEST_LIBS)

# A Xen of its own: no library of Xen is linked, and the files of a control domain are elsewhere.
if WITH_XEN
check_PROGRAMS += %D%/test_xen_faults
endif
%C%_test_xen_faults_SOURCES = %D%/test_xen_faults.c %D%/fake_xen.c %D%/fake_xen.h \
	%D%/fake_xenstore.c %D%/fake_xenstore.h
%C%_test_xen_faults_CPPFLAGS = $(HV_TEST_CPPFLAGS) $(XEN_CFLAGS)
%C%_test_xen_faults_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=open -Wl,--wrap=stat -Wl,--wrap=unlink
%C%_test_xen_faults_LDADD = libxm_hv.a libxm_core.a libxm_base.a $(CHECK_LIBS)
