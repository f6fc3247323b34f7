"""Writes what comes of the golden requests anew: ``python -m tests.golden.hooks.regenerate``.

Read the difference before you keep it.
"""

import json

from tests.unit.tracker.mailers import FILES, SECRETS, outcome, signed, take, told_by

if __name__ == "__main__":
    for esp in SECRETS:
        told = told_by(esp)
        told["outcomes"] = [outcome(take(signed(esp, request))) for request in told["requests"]]
        text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
        (FILES / f"{esp}.json").write_text(text, "utf-8")
