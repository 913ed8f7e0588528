# SPDX-License-Identifier: GPL-2.0-or-later
# What an installation lays out besides programs: configuration, folders for policies and hooks, the
# database's folder, systemd units; scripts of other init systems, in share, to be copied. An
# existing configuration file is never overwritten.

EXTRA_DIST += %D%/xenmemd.conf

openrcdir = $(pkgdatadir)/openrc
sysvinitdir = $(pkgdatadir)/sysvinit
openrc_SCRIPTS = %D%/openrc/xenmemd
sysvinit_SCRIPTS = %D%/sysvinit/xenmemd
if WITH_XEN
openrc_SCRIPTS += %D%/openrc/xenmem-agent
sysvinit_SCRIPTS += %D%/sysvinit/xenmem-agent
endif

if WITH_SYSTEMD
systemdunit_DATA = %D%/systemd/xenmemd.service %D%/systemd/xenmem-textfile.service
dist_systemdunit_DATA = %D%/systemd/xenmem-textfile.timer
if WITH_XEN
systemdunit_DATA += %D%/systemd/xenmem-agent.service
endif
endif

# Samples for cron, in share; of policies, where they are looked for: in force only once applied.
SAMPLE_POLICIES = day.policy night.policy weekend.policy
EXTRA_DIST += %D%/policies.d/day.policy %D%/policies.d/night.policy %D%/policies.d/weekend.policy
crondir = $(pkgdatadir)/cron.d
cron_DATA = %D%/cron.d/xenmem
dist_cron_SCRIPTS = %D%/cron.d/lower-idle

install-data-local: install-etc
uninstall-local: uninstall-etc

.PHONY: install-etc uninstall-etc
install-etc:
	$(MKDIR_P) $(DESTDIR)$(confdir)/policies.d $(DESTDIR)$(confdir)/hooks.d
	$(INSTALL) -d -m 700 $(DESTDIR)$(statedir)
	test -e $(DESTDIR)$(confdir)/xenmemd.conf || \
		$(INSTALL_DATA) $(top_srcdir)/%D%/xenmemd.conf $(DESTDIR)$(confdir)/xenmemd.conf
	for policy in $(SAMPLE_POLICIES); do \
		test -e $(DESTDIR)$(confdir)/policies.d/$$policy || \
			$(INSTALL_DATA) $(top_srcdir)/%D%/policies.d/$$policy $(DESTDIR)$(confdir)/policies.d; \
	done

# The configuration goes only where nobody changed it; the database stays.
uninstall-etc:
	! cmp -s $(top_srcdir)/%D%/xenmemd.conf $(DESTDIR)$(confdir)/xenmemd.conf || \
		rm -f $(DESTDIR)$(confdir)/xenmemd.conf
	for policy in $(SAMPLE_POLICIES); do \
		! cmp -s $(top_srcdir)/%D%/policies.d/$$policy $(DESTDIR)$(confdir)/policies.d/$$policy || \
			rm -f $(DESTDIR)$(confdir)/policies.d/$$policy; \
	done

# Prometheus: alert rules with their test, and a dashboard for Grafana.
prometheusdir = $(pkgdatadir)/prometheus
dist_prometheus_DATA = %D%/prometheus/xenmem.rules.yml %D%/prometheus/xenmem.dashboard.json
EXTRA_DIST += %D%/prometheus/xenmem.rules.test.yml

bashcompdir = $(datadir)/bash-completion/completions
dist_bashcomp_DATA = %D%/bash-completion/xenmemctl
