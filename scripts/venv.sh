#!/usr/bin/env bash
# Makes .venv, or brings it up to date with pyproject.toml and constraints.txt.
#   scripts/venv.sh          what running Kentering needs
#   scripts/venv.sh dev      what testing it needs besides
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/debian.sh
. scripts/debian.sh

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Missing: Python 3.11 or newer; '$python' is not. Name another: make … PYTHON=python3.12" >&2
    exit 1
fi
# Debian's Python has neither venv nor pip of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    debian_packages "Python's venv" python3-venv
fi

echo "Installing Python packages into .venv"
[ -x .venv/bin/pip ] || "$python" -m venv .venv
.venv/bin/pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt \
    --editable ".${1:+[$1]}"
