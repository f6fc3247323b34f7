#!/usr/bin/env bash
# Gets the servers and the browser that the tests start: PostgreSQL, Java and Maven (for Kafka),
# Chromium, and a C compiler for the compiled modules. Quick where all is there.
# test_machine.sh PROGRAM... gets these Debian packages too, where there is no such program.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/debian.sh
. scripts/debian.sh

missing=()
what=()
need() { # need WHAT PACKAGE: notes what is to be installed
    what+=("$1")
    missing+=("$2")
}

find_postgres() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}
has_python_headers() {
    local python=.venv/bin/python
    [ -x "$python" ] || python=${PYTHON:-python3}
    [ -f "$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ]
}
has_cluster() {
    compgen -G '/etc/postgresql/*/main' >/dev/null
}
find_java() {
    local version
    version=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
    [ "${version:-0}" -ge 17 ]
}

find_postgres || need "PostgreSQL" postgresql
find_java || need "Java 17" openjdk-17-jre-headless
command -v mvn >/dev/null || need "Maven" maven
command -v chromium >/dev/null || need "Chromium" chromium
command -v shellcheck >/dev/null || need "ShellCheck" shellcheck
command -v gcc >/dev/null || need "a C compiler" gcc
has_python_headers || need "Python's headers" python3-dev
for program in "$@"; do
    command -v "$program" >/dev/null || need "$program" "$program"
done

if [ ${#missing[@]} -gt 0 ]; then
    had_cluster=no
    if has_cluster; then had_cluster=yes; fi
    debian_packages "$(printf '%s, ' "${what[@]}" | sed 's/, $//')" "${missing[@]}"
    # Debian starts a server of its own on installing; the tests start theirs, and want it quiet.
    if [ "$had_cluster" = no ] && has_cluster; then
        service postgresql stop >/dev/null
    fi
    case " ${missing[*]} " in *" nginx "*) service nginx stop >/dev/null ;; esac
fi
