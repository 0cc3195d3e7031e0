"""Hypothesis strategies: random valid workspaces with any modifier type, and parameter points."""

from typing import Any

from hypothesis import strategies as st

from tests import zoo
from tests.reference import ReferenceModel

SAMPLES = ("signal", "Zjets", "top", "fakes")
CHANNELS = ("SR", "CR low", "a_region")

yields = st.floats(min_value=0.0, max_value=200.0).map(lambda x: 0.0 if x < 0.05 else x)
factors = st.floats(min_value=0.5, max_value=1.9)
counts = st.integers(min_value=0, max_value=300).map(float)


@st.composite
def workspaces(draw: st.DrawFn, max_channels: int = 3, max_samples: int = 3, max_bins: int = 3) -> zoo.Spec:
    """A valid workspace whose first channel carries the signal strength mu on its sample "signal".

    Names are shared between channels where the format allows it. A shapefactor is used in one channel only.
    """
    channels = [
        draw(_channel(name, is_first=i == 0, max_samples=max_samples, max_bins=max_bins))
        for i, name in enumerate(draw(st.permutations(CHANNELS))[: draw(st.integers(1, max_channels))])
    ]
    observed = {c["name"]: draw(_list_of(counts, len(c["samples"][0]["data"]))) for c in channels}
    parameters = [zoo.lumi_config(1.0 + draw(st.sampled_from((0.0, 0.25))))] if _uses_lumi(channels) else []
    return zoo.workspace(draw(st.permutations(channels)), observed, parameters=parameters)


@st.composite
def points(draw: st.DrawFn, model: ReferenceModel) -> list[float]:
    """A parameter point inside the bounds, within 3 of the suggested start; fixed parameters stay there."""
    result = []
    for start, (low, high), fixed in zip(model.inits, model.bounds, model.fixed, strict=True):
        lower, upper = max(low, start - 3.0), min(high, start + 3.0)
        result.append(start if fixed else draw(_rounded(lower, upper)))
    return result


def _rounded(low: float, high: float) -> st.SearchStrategy[float]:
    """Six digits after the point: compiled programs flush 1e-310 to zero, and no physics lives there."""
    return st.floats(min_value=low, max_value=high).map(lambda x: min(max(round(x, 6), low), high))


@st.composite
def _channel(draw: st.DrawFn, name: str, *, is_first: bool, max_samples: int, max_bins: int) -> zoo.Spec:
    n = draw(st.integers(1, max_bins))
    others = draw(st.permutations(SAMPLES[1:]))[: draw(st.integers(1, max_samples - 1))]
    samples = [draw(_sample(name, s, n)) for s in (["signal", *others] if is_first else others)]
    if is_first:
        samples[0]["modifiers"].append(zoo.normfactor())
    if draw(st.booleans()):
        _add_staterror(draw, name, samples, n)
    return zoo.channel(name, *samples)


@st.composite
def _sample(draw: st.DrawFn, channel: str, name: str, n: int) -> zoo.Spec:
    data = draw(_list_of(yields, n))
    kinds = draw(st.lists(st.sampled_from(sorted(_MODIFIERS)), max_size=3, unique=True))
    return zoo.sample(name, data, *(draw(_MODIFIERS[kind](channel, name, data)) for kind in kinds))


def _normsys(channel: str, sample: str, data: list[float]) -> st.SearchStrategy[zoo.Spec]:
    return st.builds(zoo.normsys, st.sampled_from(("jes", "theory")), factors, factors)


def _histosys(channel: str, sample: str, data: list[float]) -> st.SearchStrategy[zoo.Spec]:
    def scaled(relative: list[float]) -> list[float]:
        return [x * r for x, r in zip(data, relative, strict=True)]

    templates = _list_of(st.floats(min_value=0.7, max_value=1.3), len(data)).map(scaled)
    return st.builds(zoo.histosys, st.sampled_from(("jes", "tilt")), templates, templates)


def _shapesys(channel: str, sample: str, data: list[float]) -> st.SearchStrategy[zoo.Spec]:
    relative = st.sampled_from((0.0, 0.1, 0.3))
    widths = _list_of(relative, len(data)).map(lambda r: [x * y for x, y in zip(data, r, strict=True)])
    return st.builds(zoo.shapesys, st.just(f"unc_{channel}_{sample}"), widths)


def _shapefactor(channel: str, sample: str, data: list[float]) -> st.SearchStrategy[zoo.Spec]:
    return st.just(zoo.shapefactor(f"shape_{channel}"))


def _normfactor(channel: str, sample: str, data: list[float]) -> st.SearchStrategy[zoo.Spec]:
    return st.just(zoo.normfactor(f"k_{sample}"))


def _lumi(channel: str, sample: str, data: list[float]) -> st.SearchStrategy[zoo.Spec]:
    return st.just(zoo.lumi())


_MODIFIERS: dict[str, Any] = {
    "histosys": _histosys,
    "lumi": _lumi,
    "normfactor": _normfactor,
    "normsys": _normsys,
    "shapefactor": _shapefactor,
    "shapesys": _shapesys,
}


def _add_staterror(draw: st.DrawFn, channel: str, samples: list[zoo.Spec], n: int) -> None:
    carriers = draw(st.lists(st.sampled_from(range(len(samples))), min_size=1, unique=True))
    for i in carriers:
        widths = [0.1 * x for x in samples[i]["data"]]
        samples[i]["modifiers"].append(zoo.staterror(f"stat_{channel}", widths))


def _list_of(elements: st.SearchStrategy[float], n: int) -> st.SearchStrategy[list[float]]:
    return st.lists(elements, min_size=n, max_size=n)


def _uses_lumi(channels: list[zoo.Spec]) -> bool:
    return any(m["type"] == "lumi" for c in channels for s in c["samples"] for m in s["modifiers"])
