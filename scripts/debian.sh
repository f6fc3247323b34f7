# shellcheck shell=bash
# Sourced by the other scripts: gets Debian packages where it may, else says what is missing.

# debian_packages WHAT_FOR PACKAGE... : installs the packages, or stops with the command that does.
debian_packages() {
    local what_for=$1
    shift
    if ! command -v apt-get >/dev/null; then
        echo "Missing: $what_for. On Debian 12 these packages have it: $*" >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "Missing: $what_for. Install it with: sudo apt-get install --no-install-recommends $*" >&2
        exit 1
    fi
    echo "Installing $what_for (Debian packages: $*)"
    local output
    output=$(mktemp)
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends "$@"; } >"$output" 2>&1 </dev/null; then
        cat "$output" >&2
        exit 1
    fi
    rm "$output"
}
