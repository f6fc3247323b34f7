#!/usr/bin/env bash
# Writes constraints.txt anew: the newest versions within the bounds of pyproject.toml, as they
# install together in an empty environment.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check --editable '.[dev]'
{
    echo '# The versions that are tested together; scripts/constraints.sh writes this file.'
    # setuptools is a dependency here, and --all alone tells of it.
    "$folder/bin/pip" freeze --all --exclude pip --exclude-editable --disable-pip-version-check
} >"$folder/constraints.txt"
mv "$folder/constraints.txt" constraints.txt
