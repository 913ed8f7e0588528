# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What images and run share: making small systems out of busybox, programs and their libraries.

busybox=/bin/busybox

die() {
    echo "lab: $*" >&2
    exit 1
}

# need PROGRAM PACKAGE
need() {
    command -v "$1" >/dev/null || die "needs $1: on Debian, apt-get install $2"
}

find_library() { # NAME
    local folder
    for folder in /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib64 /usr/lib64 /usr/lib; do
        [ -e "$folder/$1" ] && echo "$folder/$1" && return
    done
    die "no $1 on this machine"
}

install_busybox() { # ROOT
    local name
    mkdir -p "$1/bin"
    cp "$busybox" "$1/bin/busybox"
    for name in $("$busybox" --list); do
        [ -e "$1/bin/$name" ] || ln -s busybox "$1/bin/$name"
    done
}

# The libraries that a program needs, and the loader; nothing for a static one.
install_libraries() { # ROOT PROGRAM
    local listing name arrow path
    listing=$(ldd "$2" 2>/dev/null) || return 0
    mkdir -p "$1/lib/x86_64-linux-gnu" "$1/lib64"
    while read -r name arrow path _; do
        case $name:$arrow:$path in
        *:'=>':not) die "$2 needs $name, which is not on this machine" ;;
        *:'=>':/*) cp -L "$path" "$1/lib/x86_64-linux-gnu/${name##*/}" ;;
        /*) cp -L "$name" "$1/lib64/" ;;
        esac
    done <<<"$listing"
}

# Into an archive that the kernel unpacks; the kernel takes several behind one another.
pack() { # ROOT ARCHIVE
    (cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$2.part"
    mv "$2.part" "$2"
}
