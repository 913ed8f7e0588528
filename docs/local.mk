# SPDX-License-Identifier: GPL-2.0-or-later
dist_doc_DATA = \
	%D%/ARCHITECTURE.md \
	%D%/policy.md \
	%D%/protocol.md \
	%D%/screens.md \
	%D%/tuning.md \
	%D%/xen-notes.md
