# SPDX-License-Identifier: GPL-2.0-or-later
EXTRA_DIST += %D%/test_init_scripts.py
TESTS += %D%/test_init_scripts.py
%D%/test_init_scripts.log: daemon/xenmemd$(EXEEXT) cli/xenmemctl$(EXEEXT) sim/xenmem-sim$(EXEEXT) $(openrc_SCRIPTS) $(sysvinit_SCRIPTS)
