# SPDX-License-Identifier: GPL-2.0-or-later
dist_man_MANS += %D%/libxenmemctl.3
dist_man_MANS += %D%/xenmemctl.1
dist_man_MANS += %D%/xenmemd.8
dist_man_MANS += %D%/xenmemd.conf.5
if WITH_XEN
dist_man_MANS += %D%/xenmem-agent.8
endif
dist_man_MANS += %D%/xenmem-sim.1
