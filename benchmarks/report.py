"""From figures to tables."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.pyhf_side import BEST

Figures = Mapping[str, Any]

EVALUATIONS = 30
"""Value-and-gradient calls that a hypotest may cost: the unit of the comparison with the limit."""


def tables(results: Mapping[str, Mapping[str, Figures]], ours: str, theirs: Sequence[str]) -> str:
    """All tables of a run; ``results`` is file, setting, figure."""
    parts = [
        speed(results, ours, theirs),
        limits(results, ours),
        studies(results, ours),
        batches(results, ours),
        documented(results, ours),
        shells(results),
        answers(results, ours, theirs),
    ]
    problems = [
        f"{file}, {setting}: {figures['error']}"
        for file, settings in results.items()
        for setting, figures in settings.items()
        if "error" in figures
    ]
    if problems:
        parts.append("Without (all) figures:\n" + "\n".join(f"  {problem}" for problem in problems))
    return "\n\n".join(parts)


def speed(results: Mapping[str, Mapping[str, Figures]], ours: str, theirs: Sequence[str]) -> str:
    """Build, first and warm hypotest of each setting, and how many times longer pyhf takes."""
    header = ["file", "pars", "bins", "setting", "build", "first", "warm", "build x", "warm x"]
    rows = []
    for file, settings in results.items():
        own = settings.get(ours, {})
        for setting in [ours, *theirs]:
            figures = settings.get(setting, {})
            own_row = setting == ours
            rows.append(
                [
                    file if own_row else "",
                    count(figures.get("parameters")),
                    count(figures.get("bins")),
                    setting,
                    *(seconds(figures.get(name)) for name in ("build", "first", "warm")),
                    "" if own_row else times(figures.get("build"), own.get("build")),
                    "" if own_row else times(figures.get("warm"), own.get("warm")),
                ]
            )
    return render("Build with validation, hypotest with the expected band (x: longer than ours)", header, rows)


def limits(results: Mapping[str, Mapping[str, Figures]], ours: str) -> str:
    """Ours against the cost of its own likelihood."""
    header = [
        "file",
        "hypotest",
        "in a jit",
        "value+grad",
        f"/{EVALUATIONS} v+g",
        "fit",
        "scan 101",
        "/hypotest",
        "gradient",
        "/hypotest",
    ]
    rows = []
    for file, settings in results.items():
        own = settings.get(ours, {})
        evaluation, hypotest = own.get("value_and_gradient"), own.get("warm")
        budget = EVALUATIONS * evaluation if evaluation else None
        rows.append(
            [
                file,
                *(seconds(own.get(name)) for name in ("warm", "jitted", "value_and_gradient")),
                times(hypotest, budget),
                seconds(own.get("fit")),
                seconds(own.get("scan")),
                times(own.get("scan"), hypotest),
                seconds(own.get("gradient")),
                times(own.get("gradient"), hypotest),
            ]
        )
    return render(
        "Against the cost of the likelihood; scan in mu by vmap; gradient of CLs by all signal yields",
        header,
        rows,
    )


def studies(results: Mapping[str, Mapping[str, Figures]], ours: str) -> str:
    """Scans and limits as one computation, against pyhf's loops."""
    header = ["file", "scan 101", "pyhf", "x", "limits", "pyhf", "x", "largest diff"]
    rows = []
    for file, settings in results.items():
        own, other = settings.get(ours, {}), settings.get(BEST, {})
        pairs = zip(own.get("limits", ()), other.get("limits", ()), strict=False)
        apart = max((abs(a - b) / b for a, b in pairs), default=None)
        rows.append(
            [
                file,
                *(seconds(own.get("scan")), seconds(other.get("scan")), times(other.get("scan"), own.get("scan"))),
                *(seconds(own.get("limit")), seconds(other.get("limit")), times(other.get("limit"), own.get("limit"))),
                "-" if apart is None else f"{apart:.1e}",
            ]
        )
    return render("Studies: observed and expected, against the loops of pyhf's fastest setting", header, rows)


def documented(results: Mapping[str, Mapping[str, Figures]], ours: str) -> str:
    """``infer.hypotest`` under each backend against the verb, and against pyhf's under the same backend."""
    backends = ("numpy", "jax", "pytorch", "tensorflow")
    header = ["file", "verb", *(column for name in backends for column in (name, "/verb", "x"))]
    rows = []
    for file, settings in results.items():
        own = settings.get(ours, {})
        row = [file, seconds(own.get("warm"))]
        for name in backends:
            here, theirs = own.get(f"documented_{name}"), settings.get(f"{name}-scipy", {}).get("warm")
            row += [seconds(here), times(here, own.get(f"beside_{name}")), times(theirs, here)]
        rows.append(row)
    return render(
        "infer.hypotest under each backend, and the verb measured right after it (x: pyhf's is longer, with SciPy)",
        header,
        rows,
    )


def batches(results: Mapping[str, Mapping[str, Figures]], ours: str) -> str:
    """Toys, signal grids and rankings, against pyhf's and cabinetry's loops; the covariance against the likelihood."""
    header = ["file", "1000 toys", "pyhf", "x", "4000 / 1000", "grid 100", "/hypotest", "pyhf", "x"]
    header += ["ranking", "cabinetry", "x", "covariance", "/v+g/sqrt(pars)"]
    rows = []
    for file, settings in results.items():
        own, other = settings.get(ours, {}), settings.get(BEST, {})

        def against(name: str, own: Figures = own, other: Figures = other) -> list[str]:
            return [seconds(other.get(name)), times(other.get(name), own.get(name))]

        evaluation, n_pars = own.get("value_and_gradient"), own.get("parameters")
        unit = evaluation * math.sqrt(n_pars) if evaluation and n_pars else None
        rows.append(
            [
                file,
                seconds(own.get("toys")),
                *against("toys"),
                times(own.get("toys_fourfold"), own.get("toys")),
                seconds(own.get("grid")),
                times(own.get("grid"), own.get("warm")),
                *against("grid"),
                seconds(own.get("ranking")),
                *against("ranking"),
                # the covariance comes with its fit
                seconds(own.get("covariance")),
                times(own.get("covariance"), unit),
            ]
        )
    return render(
        "Batches: 1000 toys of both hypotheses, CLs of 100 signal points, ranking by four refits; pyhf's from a few",
        header,
        rows,
    )


def shells(results: Mapping[str, Mapping[str, Figures]]) -> str:
    """Fresh processes."""
    header = ["file", "no cache", "fills cache", "with cache", "pyhf cls"]
    names = ("shell_no_cache", "shell_fill_cache", "shell_cached", "shell_pyhf")
    rows = [
        [file, *(seconds(settings["shell"].get(name)) for name in names)]
        for file, settings in results.items()
        if "shell" in settings
    ]
    return render("Fresh process: pyhf-func cls FILE against pyhf cls FILE", header, rows)


def answers(results: Mapping[str, Mapping[str, Figures]], ours: str, theirs: Sequence[str]) -> str:
    """Differences of the answers: 2NLL at the free fit above pyhf's lowest, CLs above each setting's."""
    header = [
        "file",
        "status",
        "2NLL",
        "- pyhf's best",
        "CLs",
        *(f"max diff {setting}" for setting in theirs),
    ]
    rows = []
    for file, settings in results.items():
        own = settings.get(ours, {})
        best = min(
            (s["twice_nll"] for name, s in settings.items() if name in theirs and "twice_nll" in s),
            default=None,
        )
        value = own.get("twice_nll")
        rows.append(
            [
                file,
                f"{own.get('status', '')} / {own.get('fit_status', '')}",
                "-" if value is None else f"{value:.6f}",
                "-" if value is None or best is None else f"{value - best:+.1e}",
                "-" if "cls" not in own else f"{own['cls']:.6f}",
                *(difference(own, settings.get(setting, {})) for setting in theirs),
            ]
        )
    return render(
        "Answers: free fit against pyhf's best setting, largest difference of CLs (observed and band)",
        header,
        rows,
    )


def difference(own: Figures, other: Figures) -> str:
    """The largest difference of the six CLs values."""
    if "cls" not in own or "cls" not in other:
        return "-"
    pairs = zip([own["cls"], *own["cls_expected"]], [other["cls"], *other["cls_expected"]], strict=True)
    return f"{max(abs(a - b) for a, b in pairs):.1e}"


def count(value: Any) -> str:
    """A number of things."""
    return "-" if value is None else str(value)


def seconds(value: Any) -> str:
    """Seconds in a unit that reads well; a sentence stays what it is."""
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    if value >= 1:
        return f"{value:.2f} s"
    return f"{1e3 * value:.2f} ms" if value >= 1e-3 else f"{1e6 * value:.0f} us"


def times(numerator: Any, denominator: Any) -> str:
    """How many times the denominator."""
    if not isinstance(numerator, float) or not isinstance(denominator, float) or not denominator:
        return "-"
    ratio = numerator / denominator
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.2g}" if ratio < 1 else f"{ratio:.1f}"


def render(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A plain text table: the first column to the left, the others to the right."""
    widths = [max(len(row[index]) for row in [header, *rows]) for index in range(len(header))]

    def line(row: Sequence[str]) -> str:
        first, *rest = (
            cell.ljust(width) if not n else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join([first, *rest]).rstrip()

    return "\n".join([title, line(header), "-" * len(line(header)), *map(line, rows)])
