# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What quickstart and .ci/run share: packages, where to build, building, and counting results.
# The working folder is the top of the checkout.

set -u

# shellcheck disable=SC2034 # both are for those who read this file
build_packages=(
    autoconf automake libtool pkg-config gcc libc6-dev make
    libevent-dev libsqlite3-dev libjansson-dev libinih-dev liblzma-dev libncurses-dev uthash-dev
    libxen-dev check
)
# shellcheck disable=SC2034
test_packages=(
    clang libclang-rt-14-dev clang-format-14 shellcheck python3 spin
    valgrind qemu-system-x86 busybox-static cpio xz-utils prometheus tmux socat curl
    build-essential dpkg-dev debhelper lintian
)

say() {
    printf '%s\n' "$*"
}

# give_up TEXT: one line on stderr, and the end.
give_up() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# --- packages --------------------------------------------------------------------------------------

missing_packages() { # PACKAGE…
    local package
    for package; do
        case $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) in
        installed) ;;
        *) echo "$package" ;;
        esac
    done
}

can_be_root() {
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null
}

as_root() { # COMMAND…
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

update_package_lists() {
    if ! can_be_root || ! as_root apt-get -q update >/dev/null; then
        say "apt's lists of packages are not up to date; as root: apt-get update"
        return 1
    fi
}

# Says what it installs; installs nothing that is there.
install_missing() { # PACKAGE…
    local missing
    command -v dpkg-query >/dev/null || {
        say "This is not Debian: see to it that these are there, under whatever name: $*"
        return
    }
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    can_be_root || give_up "packages are missing; as root: apt-get install ${missing[*]}"
    say "Installing with apt-get, because they are missing: ${missing[*]}"
    update_package_lists
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "${missing[@]}" >/dev/null ||
        give_up "apt-get could not install: ${missing[*]}"
}

# --- where to build --------------------------------------------------------------------------------

# Nothing here belongs to somebody else (root, say), so that it can be built on. What a failed
# distcheck leaves is read-only to everybody.
checkout_is_ours() {
    [ -z "$(find . \( -path ./.git -o -name 'xenmem-[0-9]*' \) -prune -o \
        \( -type f -o -type d \) ! -writable -print -quit)" ]
}

# Goes to a copy of the checkout where the checkout itself cannot be written to.
enter_writable_tree() {
    local copy=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/xenmem
    checkout_is_ours && return
    say "This checkout belongs to somebody else; working in a copy of it: $copy"
    mkdir -p "$copy" || give_up "cannot make the folder $copy"
    tar -c --exclude=./build --exclude=./autom4te.cache --exclude=./.git . |
        tar -x --no-same-owner -C "$copy" || give_up "cannot copy the checkout to $copy"
    cd "$copy" || exit 1
}

# --- building --------------------------------------------------------------------------------------

# Writes configure where there is none yet; later on make sees to it.
prepare_sources() {
    if [ ! -e configure ] || [ ! -e Makefile.in ] || [ ! -e build-aux/ltmain.sh ]; then
        autoreconf -i
    fi
}

# What takes longer hangs.
make_in() { # FOLDER ARGUMENT…
    timeout --kill-after=30 900 make -s -j"$(nproc)" -C "$@"
}

# Configures and builds in FOLDER; configures anew only where the arguments changed.
build_in() { # FOLDER CONFIGURE-ARGUMENT…
    local folder=$1 top=$PWD
    shift
    mkdir -p "$folder" && (
        cd "$folder" || exit 1
        if [ ! -e config.status ] || [ "$(cat configured-with 2>/dev/null)" != "$*" ]; then
            "$top/configure" "$@" && printf '%s\n' "$*" >configured-with
        fi && make_in .
    )
}

# --- testing and counting --------------------------------------------------------------------------

# make check with the results of before out of the way.
check_in() { # FOLDER MAKE-ARGUMENT…
    local folder=$1 code
    shift
    find "$folder" \( -name '*.trs' -o -name test-suite.log \) -delete
    make_in "$folder" -j"$((4 * $(nproc)))" check "$@" # many of them wait most of their time
    code=$?
    results_below "$folder"
    return "$code"
}

# One line a test: "RESULT NAME: N passed, N failed", and the end of its log where it did not pass.
# What a test says of itself counts; a test that says nothing is one; one that was skipped has failed.
results_below() { # FOLDER
    local trs log result
    find "$1" -name '*.trs' | sort | while read -r trs; do
        log=${trs%.trs}.log
        result=$(sed -n 's/^:test-result: //p' "$trs" | head -n 1)
        count_log "$log" "$result" "$(realpath --relative-to="$1" "${trs%.trs}")"
        [ "$result" = PASS ] || what_it_said "$log" | sed 's/^/    | /'
    done
}

# Where a test says what failed, and its end.
what_it_said() { # LOG
    if [ "$(wc -l <"$1")" -le 18 ]; then
        cat "$1"
    else
        grep -aE '^FAILED|^not ok|Error|:[0-9]+:[FE]:' "$1" | head -n 12
        tail -n 6 "$1"
    fi
}

count_log() { # LOG RESULT NAME
    awk -v result="$2" -v name="$3" '
        /^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+/ {
            gsub(/[^0-9 ]/, " ")
            bad += $3 + $4
            good += $2 - $3 - $4
        }
        /(^| )[0-9]+ passed, [0-9]+ failed$/ { good += $(NF - 3); bad += $(NF - 1) }
        END {
            if (result == "PASS" && good + bad == 0) good = 1
            if (result != "PASS" && bad == 0) bad = 1
            printf "%s %s: %d passed, %d failed\n", result, name, good, bad
        }' "$1"
}

# The sum of all "N passed, N failed" of a log; a step that says nothing counts as one.
sum_of() { # LOG EXIT-CODE
    awk -v code="$2" '
        /(^|: )[0-9]+ passed, [0-9]+ failed$/ { good += $(NF - 3); bad += $(NF - 1) }
        END {
            if (good + bad == 0 && code == 0) good = 1
            if (code != 0 && bad == 0) bad = 1
            print good + 0, bad + 0
        }' "$1"
}
