# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets. With --enable-fuzzer: `make fuzzers`, then tests/fuzz/fuzz_NAME CORPUS.

FUZZERS = %D%/fuzz_units %D%/fuzz_report %D%/fuzz_conf %D%/fuzz_request %D%/fuzz_message
EXTRA_PROGRAMS += $(FUZZERS)
EXTRA_DIST += %D%/corpus

if WITH_FUZZER
fuzz_main =
else
fuzz_main = %D%/fuzz_replay.c
check_PROGRAMS += $(FUZZERS)
endif

.PHONY: fuzzers
fuzzers: $(FUZZERS)

%C%_fuzz_units_SOURCES = %D%/fuzz_units.c %D%/fuzz.h $(fuzz_main)
%C%_fuzz_units_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
%C%_fuzz_units_LDADD = libxm_base.a
%C%_fuzz_report_SOURCES = %D%/fuzz_report.c %D%/fuzz.h $(fuzz_main)
%C%_fuzz_report_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
%C%_fuzz_report_LDADD = libxm_core.a libxm_base.a
%C%_fuzz_conf_SOURCES = %D%/fuzz_conf.c %D%/fuzz.h $(fuzz_main)
%C%_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
%C%_fuzz_conf_LDADD = libxm_conf.a libxm_base.a $(INIH_LIBS)
%C%_fuzz_request_SOURCES = %D%/fuzz_request.c %D%/fuzz.h $(fuzz_main)
%C%_fuzz_request_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
%C%_fuzz_request_LDADD = libxm_proto.a libxm_base.a $(JANSSON_LIBS)
%C%_fuzz_message_SOURCES = %D%/fuzz_message.c %D%/fuzz.h $(fuzz_main)
%C%_fuzz_message_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
%C%_fuzz_message_LDADD = libxm_proto.a libxm_base.a $(JANSSON_LIBS)

FUZZERS += %D%/fuzz_client
%C%_fuzz_client_SOURCES = %D%/fuzz_client.c %D%/fuzz.h $(fuzz_main)
%C%_fuzz_client_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
%C%_fuzz_client_LDADD = $(CLI_LIBS)

FUZZERS += %D%/fuzz_sim
%C%_fuzz_sim_SOURCES = %D%/fuzz_sim.c %D%/fuzz.h $(fuzz_main)
%C%_fuzz_sim_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
%C%_fuzz_sim_LDADD = libxm_hv.a libxm_core.a libxm_base.a $(XEN_LIBS)

FUZZERS += %D%/fuzz_policy
%C%_fuzz_policy_SOURCES = %D%/fuzz_policy.c %D%/fuzz.h $(fuzz_main)
%C%_fuzz_policy_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
%C%_fuzz_policy_LDADD = libxm_daemon.a libxm_conf.a libxm_core.a libxm_base.a $(INIH_LIBS)
