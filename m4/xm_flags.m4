dnl SPDX-License-Identifier: GPL-2.0-or-later
dnl Compiler and linker flags: each is tried first, so that any gcc or clang gets what it knows.

dnl XM_TRY_CFLAG(VARIABLE, FLAG): adds FLAG to VARIABLE if a program compiles and links with it.
AC_DEFUN([XM_TRY_CFLAG], [
    AC_MSG_CHECKING([whether $CC takes $2])
    xm_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $2"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[]], [[]])],
        [AC_MSG_RESULT([yes])
         $1="${$1:+$$1 }$2"],
        [AC_MSG_RESULT([no])])
    CFLAGS=$xm_saved_CFLAGS
])

dnl XM_TRY_LDFLAG(VARIABLE, FLAG): the same for the linker.
AC_DEFUN([XM_TRY_LDFLAG], [
    AC_MSG_CHECKING([whether $CC links with $2])
    xm_saved_LDFLAGS=$LDFLAGS
    xm_saved_CFLAGS=$CFLAGS
    LDFLAGS="$LDFLAGS $2"
    CFLAGS="$CFLAGS -Werror $PIE_CFLAGS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[]], [[]])],
        [AC_MSG_RESULT([yes])
         $1="${$1:+$$1 }$2"],
        [AC_MSG_RESULT([no])])
    CFLAGS=$xm_saved_CFLAGS
    LDFLAGS=$xm_saved_LDFLAGS
])

AC_DEFUN([XM_WARNINGS], [
    AC_ARG_ENABLE([werror],
        [AS_HELP_STRING([--enable-werror], [warnings are errors])],
        [], [enable_werror=no])
    WARN_CFLAGS=
    m4_foreach_w([xm_flag],
        [-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
         -Wmissing-declarations -Wvla -Wformat=2 -Wundef -Wpointer-arith -Wcast-align -Wwrite-strings
         -Wredundant-decls -Wnested-externs -Wdouble-promotion
         -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wnull-dereference],
        [XM_TRY_CFLAG([WARN_CFLAGS], xm_flag)])
    AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
    AC_SUBST([WARN_CFLAGS])
])

dnl Address and undefined-behaviour sanitizers; the first finding ends the program.
AC_DEFUN([XM_SANITIZERS], [
    AC_ARG_ENABLE([sanitizers],
        [AS_HELP_STRING([--enable-sanitizers], [build with ASan and UBSan])],
        [], [enable_sanitizers=no])
    SANITIZER_CFLAGS=
    AS_IF([test "x$enable_sanitizers" = xyes], [
        XM_TRY_CFLAG([SANITIZER_CFLAGS],
            [-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer])
        AS_IF([test "x$SANITIZER_CFLAGS" = x],
            [AC_MSG_ERROR([--enable-sanitizers: $CC cannot link with ASan and UBSan])])
    ])
    AC_SUBST([SANITIZER_CFLAGS])
])

dnl Fuzz targets (tests/fuzz) become libFuzzer programs; without it they replay their corpus once.
AC_DEFUN([XM_FUZZER], [
    AC_ARG_ENABLE([fuzzer],
        [AS_HELP_STRING([--enable-fuzzer], [fuzz targets for libFuzzer (CC=clang)])],
        [], [enable_fuzzer=no])
    FUZZER_CFLAGS=
    FUZZER_LDFLAGS=
    AS_IF([test "x$enable_fuzzer" = xyes], [
        XM_TRY_CFLAG([FUZZER_CFLAGS], [-fsanitize=fuzzer-no-link])
        AS_IF([test "x$FUZZER_CFLAGS" = x],
            [AC_MSG_ERROR([--enable-fuzzer: $CC has no libFuzzer; use CC=clang])])
        FUZZER_LDFLAGS=-fsanitize=fuzzer
    ])
    AC_SUBST([FUZZER_CFLAGS])
    AC_SUBST([FUZZER_LDFLAGS])
    AM_CONDITIONAL([WITH_FUZZER], [test "x$enable_fuzzer" = xyes])
])

dnl The highest level of _FORTIFY_SOURCE that the C library really switches on, in an optimized build
dnl without sanitizers (which do the same work better) and unless the user chose one.
AC_DEFUN([XM_FORTIFY], [
    xm_fortify=no
    AS_CASE([" $CPPFLAGS $CFLAGS "],
        [*_FORTIFY_SOURCE*], [xm_fortify="as given"],
        [*" -O"@<:@123sgf@:>@*],
            [AS_IF([test "x$enable_sanitizers$enable_fuzzer" = xnono], [xm_fortify=try])])
    AS_IF([test "x$xm_fortify" = xtry], [
        xm_fortify=no
        xm_saved_CPPFLAGS=$CPPFLAGS
        for xm_level in 3 2; do
            CPPFLAGS="$xm_saved_CPPFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$xm_level"
            AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
                #include <string.h>
                #if __USE_FORTIFY_LEVEL != $xm_level
                #error another level
                #endif
                ]], [[]])], [xm_fortify=$xm_level])
            AS_IF([test "x$xm_fortify" != xno], [break])
        done
        CPPFLAGS=$xm_saved_CPPFLAGS
        AS_IF([test "x$xm_fortify" != xno],
            [HARDEN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$xm_fortify"])
    ])
    AC_MSG_CHECKING([for the level of _FORTIFY_SOURCE])
    AC_MSG_RESULT([$xm_fortify])
])

AC_DEFUN([XM_HARDENING], [
    HARDEN_CPPFLAGS=
    HARDEN_CFLAGS=
    HARDEN_LDFLAGS=
    PIE_CFLAGS=
    PIE_LDFLAGS=
    XM_FORTIFY
    m4_foreach_w([xm_flag],
        [-fstack-protector-strong -fstack-clash-protection -fcf-protection],
        [XM_TRY_CFLAG([HARDEN_CFLAGS], xm_flag)])
    XM_TRY_CFLAG([PIE_CFLAGS], [-fPIE])
    m4_foreach_w([xm_flag],
        [[-Wl,-z,relro] [-Wl,-z,now] [-Wl,-z,noexecstack] [-Wl,--as-needed]],
        [XM_TRY_LDFLAG([HARDEN_LDFLAGS], xm_flag)])
    XM_TRY_LDFLAG([PIE_LDFLAGS], [-pie])
    AC_SUBST([HARDEN_CPPFLAGS])
    AC_SUBST([HARDEN_CFLAGS])
    AC_SUBST([HARDEN_LDFLAGS])
    AC_SUBST([PIE_CFLAGS])
    AC_SUBST([PIE_LDFLAGS])
])
