# shellcheck shell=bash
# This file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
# What the scripts of this folder share. Sourced, never run.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# One line for a person; the output of the tools stands between.
say() { printf '== %s\n' "$*"; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# install_missing PACKAGE:TEST ... : installs the Debian packages whose test (a command, or a file when it has a slash)
# fails. Does nothing, and asks for no rights, when nothing is missing.
install_missing() {
    local pair missing=()
    for pair in "$@"; do
        local what=${pair#*:}
        if [[ $what == */* ]]; then
            compgen -G "$what" >/dev/null || missing+=("${pair%%:*}")
        else
            command -v "$what" >/dev/null || missing+=("${pair%%:*}")
        fi
    done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || die "missing: ${missing[*]} (Debian's names); install them and try again"
    local as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "missing: ${missing[*]}; run 'apt-get install ${missing[*]}' as root"
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# What a Swift toolchain needs of a bare Debian to fetch, compile and link this package, and what the tests call.
prepare() {
    command -v swift >/dev/null || die "no 'swift' on the PATH; install a toolchain, 6.2 or later (swift.org/install)"
    install_missing git:git curl:curl python3:python3 ca-certificates:/etc/ssl/certs/ca-certificates.crt \
        binutils:ld libc6-dev:/usr/include/stdlib.h 'g++:/usr/lib/gcc/*/*/libstdc++.so' \
        'libcurl4-openssl-dev:/usr/lib/*/libcurl.so.4' 'libxml2-dev:/usr/lib/*/libxml2.so*' \
        libssl-dev:/usr/include/openssl/ssl.h pkg-config:pkg-config \
        'libsqlite3-dev:/usr/lib/*/libsqlite3.so.0' 'libncurses-dev:/usr/lib/*/libncurses.so.6' \
        tzdata:/usr/share/zoneinfo/UTC
}

# More arguments for every `swift build` and `swift test`, from the environment: SWIFT_BUILD_FLAGS="--scratch-path …".
# shellcheck disable=SC2034 # for the scripts that source this one
read -r -a swift_flags <<<"${SWIFT_BUILD_FLAGS:-}"
