"""Parts of a likelihood in the words of analysers: channels, samples, and what may change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Channel", "Free", "FreeShape", "Lumi", "Norm", "Sample", "Stat", "Uncorrelated", "UpDown"]


@dataclass(frozen=True)
class Free:
    """A free factor of the whole sample (``normfactor``), such as a signal strength.

    Attributes:
        name: The parameter.
        start: Its value before the fit.
        bounds: Its least and largest value.

    Example:
        >>> import pyhf_func as pf
        >>> pf.Free("mu", start=1.0, bounds=(0.0, 20.0))
        Free(name='mu', start=1.0, bounds=(0.0, 20.0))
    """

    name: str
    start: float | None = None
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True)
class FreeShape:
    """A free factor for each bin (``shapefactor``), such as of a background that data determine.

    Attributes:
        name: The parameter.

    Example:
        >>> import pyhf_func as pf
        >>> sample = pf.Sample([5.0, 3.0], pf.FreeShape("background_shape"))
    """

    name: str


@dataclass(frozen=True)
class Norm:
    """An uncertainty of the yield (``normsys``) with a Gaussian constraint.

    Attributes:
        name: The parameter; of one name, uncertainties are correlated.
        size: Relative change for one standard deviation, such as 0.05; or a pair (down, up), such as (-0.04, 0.06).

    Example:
        >>> import pyhf_func as pf
        >>> pf.Norm("xsec", 0.05), pf.Norm("acceptance", (-0.04, 0.06))
        (Norm(name='xsec', size=0.05), Norm(name='acceptance', size=(-0.04, 0.06)))
    """

    name: str
    size: float | tuple[float, float]


@dataclass(frozen=True)
class UpDown:
    """An uncertainty given by the histograms for one standard deviation up and down.

    Attributes:
        name: The parameter; of one name, uncertainties are correlated.
        up: Histogram of the variation up.
        down: Histogram of the variation down; without one, it is the mirror image of the other.
        split: Whether the change of the yield is a factor of its own (``normsys``) beside that of the shape
            (``histosys``), as TRExFitter and cabinetry do; otherwise all is one ``histosys``.
        symmetrise: How a pair becomes symmetric: ``"average"`` takes half the difference, ``"maximum"`` in each bin
            the larger of both changes, with the sign that the variation up has; None leaves it. With ``split``, yield
            and shape become symmetric separately.

    Example:
        >>> import pyhf_func as pf
        >>> jes = pf.UpDown("jes", up=[5.2, 3.3], down=[4.8, 2.8])
        >>> sample = pf.Sample([5.0, 3.0], jes, pf.UpDown("tune", up=[5.1, 2.9]))
    """

    name: str
    up: Any
    down: Any = None
    split: bool = True
    symmetrise: Literal["average", "maximum"] | None = None


@dataclass(frozen=True)
class Uncorrelated:
    """Uncertainties that are independent in each bin (``shapesys``), as those of a transferred background.

    Attributes:
        name: The parameter, of this sample alone.
        errors: Absolute errors in bins.

    Example:
        >>> import pyhf_func as pf
        >>> sample = pf.Sample([5.0, 3.0], pf.Uncorrelated("transfer", errors=[0.5, 0.4]))
    """

    name: str
    errors: Any


@dataclass(frozen=True)
class Stat:
    """Statistical uncertainties of the simulation (``staterror``) in place of those that `build` adds itself.

    Attributes:
        name: The parameter; samples of one channel that share it share one factor for each bin.
        errors: Absolute errors in bins; by default the roots of the histogram's variances.

    Example:
        >>> import pyhf_func as pf
        >>> sample = pf.Sample([5.0, 3.0], pf.Stat("gamma_ttbar", errors=[0.2, 0.1]))
    """

    name: str
    errors: Any = None


@dataclass(frozen=True)
class Lumi:
    """The uncertainty of the luminosity (``lumi``), one parameter for all samples that have it.

    Attributes:
        size: Relative standard deviation, such as 0.017.

    Example:
        >>> import pyhf_func as pf
        >>> sample = pf.Sample([5.0, 3.0], pf.Lumi(0.017))
    """

    size: float


Modifier = Free | FreeShape | Norm | UpDown | Uncorrelated | Stat | Lumi


@dataclass(frozen=True, init=False)
class Sample:
    """A process in a channel: its histogram, and what may change it.

    Attributes:
        nominal: Expected counts: a histogram of hist, boost-histogram or uproot, ``(counts, edges)``, or an array.
        modifiers: What may change them, in any number.
        variances: Variances of the counts, where the histogram has none.
        statistics: Whether `build` adds the statistical uncertainties of the histogram.

    Example:
        >>> import pyhf_func as pf
        >>> pf.Sample([5.0, 3.0], pf.Free("mu"), pf.Norm("xsec", 0.1), variances=[0.5, 0.3]).modifiers
        (Free(name='mu', start=None, bounds=None), Norm(name='xsec', size=0.1))
    """

    nominal: Any
    modifiers: tuple[Modifier, ...]
    variances: Any
    statistics: bool

    def __init__(self, nominal: Any, *modifiers: Modifier, variances: Any = None, statistics: bool = True) -> None:
        for name, value in (
            ("nominal", nominal),
            ("modifiers", modifiers),
            ("variances", variances),
            ("statistics", statistics),
        ):
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Channel:
    """A region: its samples by name, and the events that were observed.

    Attributes:
        samples: From names to `Sample`.
        data: Observed counts, as the histogram of a sample; without, those that are expected (Asimov data).
        title: Title of the axis, for pictures, where the histograms have none.
        unit: Its unit.

    Example:
        >>> import pyhf_func as pf
        >>> samples = {"signal": pf.Sample([1.0, 2.0], pf.Free("mu")), "background": pf.Sample([5.0, 3.0])}
        >>> region = pf.Channel(samples, data=[6, 4], title="mass", unit="GeV")
        >>> pf.build(channels={"SR": region}, poi="mu").channels
        ['SR']
    """

    samples: Mapping[str, Sample]
    data: Any = None
    title: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Settings:
    """How `build` makes a document of channels."""

    poi: str | None = None
    measurement: str = "measurement"
    negative: str = "refuse"
    statistics: str = "staterror_{channel}"
    fixed: Mapping[str, float] = field(default_factory=dict)
    parameters: Sequence[Mapping[str, Any]] | None = None
    """all configurations of parameters, where they are known already."""
