"""``python -m bench.detection.docs``: the last results into docs/detection.md."""

import re
from pathlib import Path

from bench.detection.run import read
from bench.detection.tables import as_tables

_BENCH = Path(__file__).parents[1]
LATEST = _BENCH / "results" / "detection.json"
DOCUMENT = _BENCH.parent / "docs" / "detection.md"

_BETWEEN = re.compile(r"(<!-- results -->\n).*(<!-- end of results -->)", re.DOTALL)


def main() -> None:
    """Put them between the document's two marks."""
    findings = read(LATEST.read_bytes())
    tables = as_tables(findings)
    text = DOCUMENT.read_text()
    DOCUMENT.write_text(_BETWEEN.sub(lambda m: f"{m[1]}{tables}\n{m[2]}", text))
    print(f"The results of {findings.facts['date']} stand in {DOCUMENT.name}.")


if __name__ == "__main__":
    main()
