# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the house checks share. A check is run as: CHECK [TREE], and says each finding in one line.
# Exit code: 0 nothing found, 1 findings, 77 the tool it needs is not there.

set -u
export LC_ALL=C

findings=0

# finding WHERE WHAT
finding() {
    printf '%s: %s\n' "$1" "$2"
    findings=$((findings + 1))
}

# finish NAME: the last line of every check.
finish() {
    if [ "$findings" -gt 0 ]; then
        printf '%s: %d findings\n' "$1" "$findings"
        exit 1
    fi
    printf '%s: nothing found\n' "$1"
    exit 0
}

house_folders='base core hv db proto conf daemon libctl agent sim cli lab bench hooks etc man docs tests m4 .ci'

# Relative paths of all files that people wrote, in the tree that is the working folder. A tree is
# looked at by folder names, so that builds inside it do not matter.
house_files() {
    local folder
    for folder in $house_folders; do
        [ -d "$folder" ] || continue
        find "$folder" -type f ! -path '*/__pycache__/*' ! -path '*/.*.swp' \
            ! -name 'lt*.m4' ! -name libtool.m4 -print
    done | sort
    find . -maxdepth 1 -type f \
        \( -name '*.md' -o -name configure.ac -o -name Makefile.am -o -name quickstart \) -printf '%f\n' |
        sort
}

house_sources() {
    house_files | grep '\.[ch]$'
}

# Shell scripts: by name, or by their first line.
house_scripts() {
    local file
    house_files | while read -r file; do
        case $file in
        *.sh) echo "$file" ;;
        *.[ch] | *.md | *.mk) ;;
        *) head -n 1 "$file" | grep -qE '^#! *(/usr)?/bin/(env +)?(ba|da)?sh' && echo "$file" ;;
        esac
    done
}

# need PROGRAM: the check cannot be made without it.
need() {
    command -v "$1" >/dev/null && return
    echo "skipped: $1 is not installed"
    exit 77
}
