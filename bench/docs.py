"""``python -m bench.docs``: the last results into docs/benchmarks.md."""

import json
import re
from pathlib import Path
from typing import Any

from bench.figures import Figure, Target, as_markdown

_HERE = Path(__file__).parent
LATEST = _HERE / "results" / "latest.json"
DOCUMENT = _HERE.parent / "docs" / "benchmarks.md"

_BETWEEN = re.compile(r"(<!-- results -->\n).*(<!-- end of results -->)", re.DOTALL)


def main() -> None:
    """Put them between the document's two marks."""
    told = json.loads(LATEST.read_text())
    facts = "\n".join(f"- {name}: {value}" for name, value in told["machine"].items())
    table = as_markdown([_figure(one) for one in told["figures"]])
    text = DOCUMENT.read_text()
    written = _BETWEEN.sub(lambda m: f"{m[1]}{facts}\n\n{table}\n{m[2]}", text)
    DOCUMENT.write_text(written)
    print(f"The results of {told['machine']['date']} stand in {DOCUMENT.name}.")


def _figure(told: dict[str, Any]) -> Figure:
    target = None if told["target"] is None else Target(**told["target"])
    return Figure(told["measure"], told["name"], told["value"], told["unit"], target)


if __name__ == "__main__":
    main()
