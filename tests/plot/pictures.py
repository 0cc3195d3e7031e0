"""The pictures that are compared with those in ``tests/plot/references``; run this module to draw the references anew::

    python -m tests.plot.pictures

Look at what changed before it is committed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pyhf_func as pf
from tests.plot import made

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path(__file__).with_name("references")
_DOTS = 50  # an inch: small files, and all that is drawn can still be told apart

PICTURES: dict[str, Callable[[], Figure]] = {
    "cls": lambda: pf.plot.cls(made.scan(), made.model()),
    "correlation": lambda: pf.plot.correlation(made.covariance(), made.model()),
    "exclusion": lambda: pf.plot.exclusion(made.grid(*made.masses(80, 0.1)), header="13 TeV"),
    "goodness_of_fit": lambda: pf.plot.goodness_of_fit(made.goodness()),
    "limits": lambda: pf.plot.limits({"here": made.limit(), "there": made.limit(1.4)}, made.model()),
    "limits_of_masses": lambda: pf.plot.limits({m: made.limit(m / 300) for m in (200, 300, 500)}, xlabel="m [GeV]"),
    "profile": lambda: pf.plot.profile(made.profile(), made.model(), "mu"),
    "profile_of_two": lambda: pf.plot.profile(made.profile_of_two(), made.model(), ["mu", "tilt"]),
    "pulls": lambda: pf.plot.pulls(made.covariance(), made.model()),
    "ranking": lambda: pf.plot.ranking(made.impacts(), made.model()),
    "templates": lambda: pf.plot.templates(made.model(), "tilt", "SR", "background", metadata=made.METADATA),
    "toys": lambda: pf.plot.toys(made.toys(), made.model(), asymptotic=made.test_of_toys()),
    "yields": lambda: pf.plot.yields(made.yields(), made.model(), lines={"signal": 5.0}),
    "yields_before": lambda: pf.plot.yields(made.yields(), made.model(), "prefit", log=True, metadata=made.METADATA),
}


def draw(name: str, path: Path) -> None:
    """Draw a picture as everyone sees it, whatever style is set here."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        PICTURES[name]().savefig(path, dpi=_DOTS, metadata={"Software": None})


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for known in PICTURES:
        draw(known, FOLDER / f"{known}.png")
