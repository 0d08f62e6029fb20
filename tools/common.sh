# Sourced by the other tools: where the project is, and what it needs from Debian.
# shellcheck shell=bash

# A command that fails within $(...) ends the script as it does elsewhere.
shopt -s inherit_errexit

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export project

build_packages=(
    libfuse3-dev fuse3 libsodium-dev libsqlite3-dev libargon2-dev libzstd-dev libre2-dev
    libtomlplusplus-dev pkg-config
)
test_packages=(
    rsync attr acl openssh-client age git strace mandoc shellcheck python3-venv xxd jq
)
export build_packages test_packages

# Runs a command as root: directly in a container, through sudo for a user.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "this needs root, and there is no sudo: $*" >&2
        return 1
    fi
}

# Installs the Debian packages among the arguments that are missing, and says so.
need() {
    local missing=() package
    for package in "$@"; do
        if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
            missing+=("$package")
        fi
    done
    if [ "${#missing[@]}" -eq 0 ]; then
        return
    fi
    echo "installing from Debian: ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
}

# Builds both programs for release; prints the directory they are in.
build_release() {
    local options=(--package-path "$project" -c release --static-swift-stdlib)
    swift build "${options[@]}" >&2
    swift build "${options[@]}" --show-bin-path
}

# A Python with what the independent reader needs; prints the interpreter.
python_environment() {
    local place="$project/.build/python"
    if [ ! -x "$place/bin/python3" ]; then
        python3 -m venv "$place" >&2
    fi
    "$place/bin/pip" install --quiet --disable-pip-version-check \
        blake3==1.0.11 cryptography==48.0.0 argon2-cffi==25.1.0 zstandard==0.25.0 mnemonic==0.21 >&2
    echo "$place/bin/python3"
}

# A Python with Memvid's own SDK, the peer of the tests of its format; prints the interpreter.
memvid_environment() {
    local place="$project/.build/memvid"
    if [ ! -x "$place/bin/python3" ]; then
        python3 -m venv "$place" >&2
    fi
    "$place/bin/pip" install --quiet --disable-pip-version-check memvid-sdk==2.0.160 >&2
    echo "$place/bin/python3"
}
