dnl SPDX-License-Identifier: GPL-2.0-or-later
dnl What xenmem is built from and where it goes.

dnl XM_REQUIRE(PREFIX, MODULES, DEBIAN-PACKAGE): a library that every build needs.
AC_DEFUN([XM_REQUIRE], [
    PKG_CHECK_MODULES([$1], [$2], [],
        [xm_missing="${xm_missing:+$xm_missing, }$2"
         xm_packages="${xm_packages:+$xm_packages }$3"])
])

dnl XM_REQUIRE_HEADER(HEADER, DEBIAN-PACKAGE)
AC_DEFUN([XM_REQUIRE_HEADER], [
    AC_CHECK_HEADER([$1], [],
        [xm_missing="${xm_missing:+$xm_missing, }$1"
         xm_packages="${xm_packages:+$xm_packages }$2"])
])

dnl One line that names all that was not found.
AC_DEFUN([XM_REQUIRE_DONE], [
    AS_IF([test "x$xm_missing" != x],
        [AC_MSG_ERROR([missing: $xm_missing; on Debian: apt-get install $xm_packages])])
])

dnl Xen's own libraries: without them the simulated host is the only backend, and there is no agent.
AC_DEFUN([XM_XEN], [
    AC_ARG_WITH([xen],
        [AS_HELP_STRING([--with-xen=auto|yes|no], [the Xen backend and the guest's agent])],
        [], [with_xen=auto])
    xm_have_xen=no
    AS_CASE([$with_xen],
        [auto | yes | no], [],
        [AC_MSG_ERROR([--with-xen=$with_xen: say auto, yes or no])])
    AS_IF([test "x$with_xen" != xno], [
        PKG_CHECK_MODULES([XEN], [xencontrol >= 4.17 xenstore xenevtchn xentoollog],
            [xm_have_xen=yes], [xm_have_xen=no])
        PKG_CHECK_MODULES([XENSTORE], [xenstore], [], [xm_have_xen=no])
        PKG_CHECK_MODULES_STATIC([XENSTORE_STATIC], [xenstore], [], [:])
    ])
    AS_IF([test "x$with_xen$xm_have_xen" = xyesno],
        [xm_missing="${xm_missing:+$xm_missing, }xencontrol (4.17 or later) xenstore xenevtchn xentoollog (for --with-xen=yes)"
         xm_packages="${xm_packages:+$xm_packages }libxen-dev"])
    AS_CASE([$with_xen$xm_have_xen],
        [*yes], [xm_xen_text="yes (libxenctrl `$PKG_CONFIG --modversion xencontrol`)"],
        [nono], [xm_xen_text="no (simulated hosts only, no xenmem-agent)"],
        [xm_xen_text="no (simulated hosts only, no xenmem-agent; Debian: libxen-dev)"])
    AS_IF([test "x$xm_have_xen" = xyes],
        [AC_DEFINE([HAVE_XEN], [1], [Define to 1 if the Xen backend is built.])])
    AM_CONDITIONAL([WITH_XEN], [test "x$xm_have_xen" = xyes])
])

dnl A system-wide installation has its configuration in /etc, its database in /var and its socket in
dnl /run, also when the programs are in /usr/local; any other prefix keeps all to itself.
AC_DEFUN([XM_PATHS], [
    AS_IF([test "x$prefix" = xNONE], [prefix=$ac_default_prefix])
    AS_CASE([$prefix], [/usr | /usr/ | /usr/local | /usr/local/], [
        AS_IF([test "x$sysconfdir" = 'x${prefix}/etc'], [sysconfdir=/etc])
        AS_IF([test "x$localstatedir" = 'x${prefix}/var'], [localstatedir=/var])
        AS_IF([test "x$runstatedir" = 'x${localstatedir}/run' || test "x$runstatedir" = x],
            [runstatedir=/run])
    ])
    AS_IF([test "x$runstatedir" = x], [runstatedir='${localstatedir}/run'])
    AC_SUBST([runstatedir])
    AC_SUBST([confdir], ['${sysconfdir}/xenmem'])
    AC_SUBST([statedir], ['${localstatedir}/lib/xenmem'])
    AC_SUBST([rundir], ['${runstatedir}/xenmem'])
    XM_EXPAND([xm_sbindir_text], [$sbindir])
    XM_EXPAND([xm_confdir_text], [$confdir/xenmemd.conf])
    XM_EXPAND([xm_statedir_text], [$statedir/xenmem.db])
    XM_EXPAND([xm_rundir_text], [$rundir/xenmemd.sock])
    dnl The units need plain paths.
    XM_EXPAND([unit_sbindir], [$sbindir])
    XM_EXPAND([unit_bindir], [$bindir])
    XM_EXPAND([unit_confdir], [$confdir])
    XM_EXPAND([unit_pkgdatadir], [$datadir/$PACKAGE])
    AC_SUBST([unit_sbindir])
    AC_SUBST([unit_bindir])
    AC_SUBST([unit_confdir])
    AC_SUBST([unit_pkgdatadir])
])

dnl XM_EXPAND(VARIABLE, TEXT): TEXT with ${prefix} and the like replaced.
AC_DEFUN([XM_EXPAND], [
    xm_saved_exec_prefix=$exec_prefix
    AS_IF([test "x$exec_prefix" = xNONE], [exec_prefix=$prefix])
    $1="$2"
    while :; do
        AS_CASE([$$1], [*'${'*], [eval "$1=\"$$1\""], [break])
    done
    exec_prefix=$xm_saved_exec_prefix
])

AC_DEFUN([XM_SYSTEMD], [
    AC_ARG_WITH([systemd],
        [AS_HELP_STRING([--with-systemd[=DIR]],
            [install units, into DIR (default PREFIX/lib/systemd/system)])],
        [], [with_systemd=yes])
    AS_CASE([$with_systemd],
        [no], [systemdunitdir=],
        [yes], [systemdunitdir='${prefix}/lib/systemd/system'],
        [/*], [systemdunitdir=$with_systemd],
        [AC_MSG_ERROR([--with-systemd=$with_systemd: say yes, no or an absolute folder])])
    AC_SUBST([systemdunitdir])
    AM_CONDITIONAL([WITH_SYSTEMD], [test "x$systemdunitdir" != x])
    XM_EXPAND([xm_systemd_text], [${systemdunitdir:-none}])
])
