# SPDX-License-Identifier: GPL-2.0-or-later
# Samples, which an installation lays out and does not put in force: data, so that none is executable.
hooksampledir = $(pkgdatadir)/hooks
dist_hooksample_DATA = \
	%D%/README \
	%D%/alertmanager \
	%D%/console \
	%D%/mail \
	%D%/syslog \
	%D%/webhook
