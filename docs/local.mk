# SPDX-License-Identifier: GPL-2.0-or-later
dist_doc_DATA = \
	%D%/ARCHITECTURE.md \
	%D%/demand.md \
	%D%/performance.md \
	%D%/policy.md \
	%D%/protocol.md \
	%D%/screens.md \
	%D%/tuning.md \
	%D%/xen-notes.md

# Every interleaving of the protocol of reservations.
TESTS += %D%/model/check.sh
EXTRA_DIST += %D%/model/check.sh %D%/model/reservations.pml
