"""With ``KENTERING_COMPILE=1`` a wheel holds the hottest modules compiled, beside their sources.

Without it, and in every editable installation, all is plain Python. See
``docs/decisions/0034-compiled-model.md``.
"""

import os
import sys

from setuptools import setup

COMPILED = [
    # What is done for each event of each person, and nothing else: numbers, lists, decisions.
    "services/model/behaviour.py",
    "services/model/crossing.py",
    "services/model/engagement.py",
    "services/model/evidence.py",
    "services/model/filter.py",
    "services/model/fold.py",
    "services/model/habits.py",
    "services/model/path.py",
    "services/model/rules/joined.py",
    "services/model/silence.py",
    "services/model/since.py",
    "services/model/steps.py",
    "services/model/stretch.py",
    "services/model/threshold.py",
    "services/model/timeline.py",
    "services/model/turns.py",
]

is_asked = os.environ.get("KENTERING_COMPILE") == "1"
extensions = []
if is_asked and "bdist_wheel" in sys.argv:
    from mypyc.build import mypycify

    extensions = mypycify(["--config-file=", *COMPILED], opt_level="3", debug_level="0")
    for extension in extensions:
        # Some processors multiply and add in one step, which rounds once instead of twice: the
        # same events would give other bits than in plain Python.
        extension.extra_compile_args.append("-ffp-contract=off")

setup(
    ext_modules=extensions,
    # What the compiler must see to know the types of what the modules import.
    setup_requires=["mypy>=2.4,<3", "msgspec", "numpy", "pydantic"] if is_asked else [],
)
