"""Judge the fits of the package in the working directory.

    python -m tests.judge --models 1000 --seed 0 [--kind wells,kinks] [--jobs 1]
    python -m tests.judge --dump wells:3:17:0 case.json
    python -m tests.judge --files ../shared/data --starts 50

Run by its path, it judges the checkout in the working directory.
"""

import os
import sys
from importlib import import_module
from pathlib import Path

if not __package__:
    sys.path[0] = os.getcwd()
    import_module("pyhf_func")  # before our own root, whose package must not shadow it
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    sys.modules.pop("tests", None)

if __name__ == "__main__":
    import_module("tests.judge.command").main()
