#!/usr/bin/env bash
# Makes the served script from its source: services/tracker/static/k.min.js from k.js beside it.
set -euo pipefail
cd "$(dirname "$0")/../services/tracker/static"

../../../.venv/bin/python - <<'PYTHON'
from pathlib import Path

import minify

source = Path("k.js").read_text("utf-8")
Path("k.min.js").write_text(minify.string("application/javascript", source) + "\n", "utf-8")
PYTHON
