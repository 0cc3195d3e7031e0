"""One setting on one file, in a process of its own: ``python -m benchmarks.worker SETTING FILE RESULT.json``.

The result file is rewritten after every figure, so that what was measured before a time limit is kept.
"""

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import our_side, pyhf_side

OURS = "pyhf_func"


def main(setting: str, file: str, target: str, repeats: str, budget: str) -> None:
    figures: dict[str, Any] = {}

    def record(**more: Any) -> None:
        figures.update(more)
        Path(target).write_text(json.dumps(figures), encoding="utf-8")

    spec = json.loads(Path(file).read_text(encoding="utf-8"))
    side = our_side if setting == OURS else pyhf_side
    try:
        side.measure(spec, setting, record, int(repeats), float(budget))
    except Exception as error:  # a setting that cannot do the file is a result
        reason = (str(error).strip() or "no message").splitlines()[0]
        record(error=f"{type(error).__name__}: {reason[:200]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
