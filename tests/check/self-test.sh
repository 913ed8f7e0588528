#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The house checks can fail: each is given a small tree with one thing wrong, and must name it; and
# the same tree without it, where it must find nothing.

here=$(cd "${BASH_SOURCE%/*}" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
spdx='/* SPDX-License-Identifier: GPL-2.0-or-later */'

# A new tree in which nothing is wrong, as the working folder.
clean_tree() {
    rm -rf "${work:?}/tree"
    mkdir -p "$work/tree"/{base,core,hv,db,libctl,cli,tests/base}
    cd "$work/tree" || exit 1
    cp "$here/../../.clang-format" .
    printf '%s\n#ifndef BASE_A_H\n#define BASE_A_H\nint kib_a(int a);\n#endif\n' "$spdx" >base/a.h
    printf '%s\n#include "base/a.h"\n\nint kib_a(int a)\n{\n    return a;\n}\n' "$spdx" >base/a.c
    printf '%s\n#ifndef CORE_B_H\n#define CORE_B_H\nint core_b(int b);\n#endif\n' "$spdx" >core/b.h
    printf '%s\n#include "core/b.h"\n\n#include "base/a.h"\n\nint core_b(int b)\n{\n    return kib_a(b);\n}\n' \
        "$spdx" >core/b.c
    printf '#!/bin/sh\n# SPDX-License-Identifier: GPL-2.0-or-later\necho "hello"\n' >quickstart
}

# A clean tree with a configuration of two keys in code, file and page.
config_tree() {
    clean_tree
    mkdir -p daemon etc man
    printf '%s\n    [KEY_A] = {"alpha", "alpha_ms", SETTING_DURATION, 1, 2, 1, NULL, "first"},\n' \
        "$spdx" >core/settings.c
    printf '%s\n    {.name = "beta", .help = "second"}},\n' "$spdx" >daemon/options.c
    printf '# alpha = in prose\n#alpha = 1s\nbeta = x\n' >etc/xenmemd.conf
    printf '.BI alpha\\ =\\  DURATION\n.BR "beta = x" " | " y\n' >man/xenmemd.conf.5
}

# A clean tree with two events, one of which runs no hooks.
events_tree() {
    clean_tree
    mkdir -p daemon man
    printf '%s\n    [EVENT_VM_LOW] = {"vm-low", 1},\n    [EVENT_HOOK] = {"hook", 1},\n' "$spdx" >daemon/events.c
    printf '.SH HOOKS\nEvents:\n.BR vm\\-low .\n.PP\nA vm\\-what in prose.\n' >man/xenmemd.conf.5
}

record() { # WHAT OUTCOME
    if [ "$2" = ok ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1 ($2)"
        sed 's/^/    /' "$work/output"
    fi
}

# The check finds nothing in the working folder.
accepts() { # WHAT CHECK ARGUMENT…
    local what=$1 check=$2 code
    shift 2
    "$here/$check.sh" "$@" >"$work/output" 2>&1
    code=$?
    [ "$code" = 77 ] && echo "$check: $(cat "$work/output")" && return
    [ "$code" = 0 ] || code="exit code $code, not 0"
    record "$what" "${code/#0/ok}"
}

# The check fails, and names the place.
refuses() { # WHAT PLACE CHECK ARGUMENT…
    local what=$1 place=$2 check=$3 code
    shift 3
    "$here/$check.sh" "$@" >"$work/output" 2>&1
    code=$?
    [ "$code" = 77 ] && echo "$check: $(cat "$work/output")" && return
    if [ "$code" != 1 ]; then
        record "$what" "exit code $code, not 1"
    elif ! grep -q "^$place: " "$work/output"; then
        record "$what" "does not name $place"
    else
        record "$what" ok
    fi
}

# FILE gets a line more at its end.
add() {
    printf '%s\n' "$2" >>"$1"
}

archive() {
    local compiler
    read -ra compiler <<<"${XENMEM_CC:-cc}"
    "${compiler[@]}" -I. -c core/b.c -o b.o && ar rc libxm_core.a b.o
}

for check in layers knowledge headers traces format shell; do
    clean_tree
    accepts "$check accepts a clean tree" "$check" .
done

clean_tree && add base/a.c '#include "core/b.h"'
refuses "layers: an arrow upward" base/a.c:8 layers .
clean_tree && add hv/h.c '#include "db/d.h"' && touch db/d.h
refuses "layers: an arrow sideways" hv/h.c:1 layers .
clean_tree && add base/a.c '#include "a.h"'
refuses "layers: an include from the side" base/a.c:8 layers .
clean_tree && add base/a.c '#include "base/gone.h"'
refuses "layers: an include of nothing" base/a.c:8 layers .
clean_tree && add cli/c.c '#include "libctl/inside.h"' && touch libctl/inside.h
refuses "layers: cli looks behind the public header" cli/c.c:1 layers .
clean_tree && add core/b.c '#include <unistd.h>'
refuses "layers: the core includes system calls" core/b.c:10 layers .
clean_tree && add libctl/xenmemctl.h '#include "base/a.h"'
refuses "layers: the public header needs ours" libctl/xenmemctl.h:1 layers .

for header in xenctrl.h xenstore.h xen/xen.h sqlite3.h jansson.h event2/event.h ini.h check.h; do
    clean_tree && add base/a.c "#include <$header>"
    refuses "knowledge: $header in base" base/a.c:8 knowledge .
done

clean_tree && mkdir daemon && add daemon/apply.c 'int a(void) { return hv_set_cap(0); }'
accepts "knowledge: the one that writes to guests" knowledge .
clean_tree && add cli/c.c 'int a(void) { return hv_set_target(0); }'
refuses "knowledge: another one that writes to guests" cli/c.c:1 knowledge .

clean_tree && add core/b.h 'size_t core_size(void);'
refuses "headers: a type that is not declared" core/b.h headers .
clean_tree && printf '%s\nstruct twice {\n    int a;\n};\n' "$spdx" >core/b.h
refuses "headers: no guard" core/b.h headers .

clean_tree && archive
accepts "purity accepts a pure core" purity libxm_core.a .
clean_tree && add core/b.c '#include <stdlib.h>
void *core_allocate(void) { return malloc(1); }' && archive
refuses "purity: allocation" malloc purity libxm_core.a .
clean_tree && add core/b.c '#include <stdio.h>
void core_say(void) { puts("b"); }' && archive
refuses "purity: output" puts purity libxm_core.a .
clean_tree && add core/b.c 'static int count;
int core_count(void) { return ++count; }' && archive
refuses "purity: a variable" count purity libxm_core.a .
clean_tree && add core/b.c 'int core_shared = 1;' && archive
refuses "purity: a global" core_shared purity libxm_core.a .
clean_tree && add core/b.c 'static const char *const names[] = {"a", "b"};
const char *core_name(int i) { return names[i]; }' && archive
accepts "purity accepts a constant table" purity libxm_core.a .
clean_tree && archive && add core/b.c 'static double half(double d);'
refuses "purity: floating point" core/b.c:10 purity libxm_core.a .
clean_tree
refuses "purity: no archive" gone.a purity gone.a .

config_tree
accepts "config accepts keys that are everywhere" config .
config_tree && add daemon/options.c '    {.name = "gamma", .help = "third"}},'
refuses "config: a key that no page explains" man/xenmemd.conf.5 config .
refuses "config: a key that the installed file does not have" etc/xenmemd.conf config .
config_tree && add man/xenmemd.conf.5 '.BI gamma\ =\  N'
refuses "config: a key of the page that is none" man/xenmemd.conf.5 config .
config_tree && add etc/xenmemd.conf '#gamma = 3'
refuses "config: a key of the file that is none" etc/xenmemd.conf config .
config_tree && : >core/settings.c && : >daemon/options.c
refuses "config: tables that cannot be found" daemon/options.c config .

events_tree
accepts "events accepts those that are told in the page" events .
events_tree && add daemon/events.c '    [EVENT_VM_OK] = {"vm-ok", 1},'
refuses "events: one that the page does not tell" man/xenmemd.conf.5 events .
events_tree && sed -i 's/^\.BR.*/.BR vm\\-low ", " vm\\-odd ./' man/xenmemd.conf.5
refuses "events: one that is none" man/xenmemd.conf.5 events .
events_tree && : >daemon/events.c
refuses "events: a table that cannot be found" daemon/events.c events .

clean_tree && add base/a.c "// see /hom""e/somebody/notes"
refuses "traces: a path of a machine" base/a.c:8 traces .
clean_tree && add base/a.c "// TOD""O later"
refuses "traces: a note to oneself" base/a.c:8 traces .
clean_tree && sed -i 1d base/a.c
refuses "traces: no licence" base/a.c traces .
clean_tree && sed -i 2d quickstart
refuses "traces: a script without licence" quickstart traces .
clean_tree && cp base/a.h libctl/l.h
refuses "traces: the client library under another licence" libctl/l.h traces .
clean_tree && yes '' | head -n 600 >>base/a.c
refuses "traces: too long" base/a.c traces .

clean_tree && add base/a.c 'int  kib_c( void );'
refuses "format: other layout" base/a.c format .

# shellcheck disable=SC2016 # meant literally
clean_tree && add quickstart 'rm -rf $1/*'
refuses "shell: an unquoted variable" quickstart shell .

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
