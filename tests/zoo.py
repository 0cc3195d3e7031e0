"""Small workspaces that break symmetry: each has something that a wrong sign, index or order would trip over.

Every entry is a valid workspace document of format 1.0.0 that pyhf 0.7.6 accepts. `note` says what it breaks.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]


@dataclass(frozen=True)
class Animal:
    """One workspace of the zoo.

    `mu` is the signal strength to test. `no_test` says why a test of it is impossible ("" if it is possible),
    `no_discovery` why the test of mu = 0 with Asimov data of mu = 1 (q0) is.
    """

    name: str
    note: str
    build: Callable[[], Spec]
    measurement: str | None = None
    mu: float = 1.0
    no_test: str = ""
    no_discovery: str = ""

    @property
    def spec(self) -> Spec:
        """A fresh copy of the document, to do with as one likes."""
        return copy.deepcopy(self.build())


ZOO: dict[str, Animal] = {}


def animal(
    note: str, *, measurement: str | None = None, mu: float = 1.0, no_test: str = "", no_discovery: str = ""
) -> Callable[..., Callable[[], Spec]]:
    """Register a workspace builder under its own name."""

    def register(build: Callable[[], Spec]) -> Callable[[], Spec]:
        name = build.__name__
        ZOO[name] = Animal(name, note, build, measurement, mu, no_test, no_discovery)
        return build

    return register


def workspace(
    channels: Sequence[Spec],
    observed: dict[str, list[float]],
    poi: str = "mu",
    parameters: Sequence[Spec] = (),
) -> Spec:
    """A document with one measurement."""
    return {
        "channels": list(channels),
        "observations": [{"name": name, "data": data} for name, data in observed.items()],
        "measurements": [{"name": "meas", "config": {"poi": poi, "parameters": list(parameters)}}],
        "version": "1.0.0",
    }


def channel(name: str, *samples: Spec) -> Spec:
    return {"name": name, "samples": list(samples)}


def sample(name: str, data: list[float], *modifiers: Spec) -> Spec:
    return {"name": name, "data": data, "modifiers": list(modifiers)}


def normfactor(name: str = "mu") -> Spec:
    return {"name": name, "type": "normfactor", "data": None}


def normsys(name: str, lo: float, hi: float) -> Spec:
    return {"name": name, "type": "normsys", "data": {"lo": lo, "hi": hi}}


def histosys(name: str, lo: list[float], hi: list[float]) -> Spec:
    return {"name": name, "type": "histosys", "data": {"lo_data": lo, "hi_data": hi}}


def shapesys(name: str, data: list[float]) -> Spec:
    return {"name": name, "type": "shapesys", "data": data}


def staterror(name: str, data: list[float]) -> Spec:
    return {"name": name, "type": "staterror", "data": data}


def shapefactor(name: str) -> Spec:
    return {"name": name, "type": "shapefactor", "data": None}


def lumi() -> Spec:
    return {"name": "lumi", "type": "lumi", "data": None}


def lumi_config(value: float = 1.0, sigma: float = 0.02) -> Spec:
    return {
        "name": "lumi",
        "auxdata": [value],
        "sigmas": [sigma],
        "inits": [value],
        "bounds": [[0.5 * value, 1.5 * value]],
    }


@animal("one bin, one signal, one background without uncertainty: CLs has a closed form")
def counting() -> Spec:
    return workspace([channel("bin", sample("sig", [5.0], normfactor()), sample("bkg", [10.0]))], {"bin": [12.0]})


@animal("one bin with a Poisson-constrained background: the on/off problem, with a closed form")
def on_off() -> Spec:
    bkg = sample("bkg", [50.0], shapesys("bkg_unc", [7.0]))
    return workspace([channel("bin", sample("sig", [10.0], normfactor()), bkg)], {"bin": [51.0]})


@animal("up and down differ in size and sign; two bins differ; the best fit pulls alpha beyond 1")
def asymmetric_systematics() -> Spec:
    bkg = sample(
        "bkg",
        [60.0, 40.0, 25.0],
        normsys("norm", 0.93, 1.21),
        histosys("shape", [57.0, 43.5, 25.5], [66.0, 40.5, 21.0]),
    )
    return workspace([channel("SR", sample("sig", [3.0, 6.0, 9.0], normfactor()), bkg)], {"SR": [85.0, 49.0, 30.0]})


@animal("a histosys whose both sides reduce the yield, one whose lo lies above hi, one without effect in a bin")
def negative_histosys() -> Spec:
    bkg = sample(
        "bkg",
        [30.0, 20.0, 12.0],
        histosys("both_down", [28.0, 18.5, 11.0], [29.5, 17.0, 11.5]),
        histosys("inverted", [33.0, 20.0, 11.0], [26.0, 20.0, 14.0]),
    )
    return workspace([channel("SR", sample("sig", [2.0, 5.0, 4.0], normfactor()), bkg)], {"SR": [27, 21, 15]})


@animal(
    "a bin empty in every sample and in data, an empty one where only signal is expected, one without signal",
    no_discovery="mu = 0 gives Asimov data of mu = 1 probability zero",
)
def zero_bins() -> Spec:
    sig = sample("sig", [0.0, 2.5, 4.0, 0.0], normfactor(), normsys("sig_unc", 0.85, 1.1))
    bkg = sample("bkg", [0.0, 0.0, 12.0, 20.0], normsys("bkg_unc", 0.9, 1.15))
    return workspace([channel("SR", sig, bkg)], {"SR": [0, 0, 13, 22]})


@animal("two events in a bin where only signal is expected", no_test="mu = 0 has probability zero")
def events_without_background() -> Spec:
    sig = sample("sig", [2.5, 4.0], normfactor())
    bkg = sample("bkg", [0.0, 12.0], normsys("bkg_unc", 0.9, 1.15))
    return workspace([channel("SR", sig, bkg)], {"SR": [2, 13]})


@animal("one-bin, three-bin and two-bin channels out of order; the samples of each differ, and so do their orders")
def ragged_channels() -> Spec:
    return workspace(
        [
            channel(
                "one",
                sample("ttbar", [35.0], normfactor("k_ttbar"), normsys("jes", 0.95, 1.08)),
                sample("other", [4.0]),
            ),
            channel(
                "a_three",
                sample("wjets", [22.0, 14.0, 6.0], normsys("jes", 1.06, 0.97)),
                sample("sig", [1.0, 4.0, 5.0], normfactor()),
                sample("ttbar", [9.0, 7.0, 5.0], normfactor("k_ttbar"), normsys("jes", 0.9, 1.05)),
            ),
            channel(
                "m_two",
                sample("wjets", [40.0, 31.0], normsys("jes", 1.03, 0.96)),
                sample("other", [3.0, 2.0]),
            ),
        ],
        {"m_two": [45, 30], "one": [44], "a_three": [30, 27, 13]},
    )


@animal("one alpha moves norms and shapes: normsys and histosys share their name within and between samples")
def shared_between_types() -> Spec:
    bkg = sample("bkg", [44.0, 33.0], histosys("jes", [40.0, 34.0], [50.0, 31.0]), normsys("jes", 0.97, 1.02))
    sig = sample("sig", [6.0, 3.0], normfactor(), normsys("jes", 0.9, 1.15))
    control = sample("bkg", [80.0], normsys("jes", 0.92, 1.05))
    return workspace([channel("SR", sig, bkg), channel("CR", control)], {"SR": [49, 34], "CR": [84]})


@animal("the POI is neither first nor last in the parameter vector, and its name sorts last", mu=0.7)
def poi_in_the_middle() -> Spec:
    sig = sample("sig", [4.0, 7.0], normfactor("zeta"), lumi())
    bkg = sample(
        "bkg",
        [30.0, 25.0],
        lumi(),
        histosys("tilt", [32.0, 23.0], [29.0, 28.0]),
        normsys("xsec", 0.92, 1.11),
        staterror("stat_SR", [2.0, 1.5]),
    )
    return workspace(
        [channel("SR", sig, bkg)],
        {"SR": [31, 33]},
        poi="zeta",
        parameters=[lumi_config(), {"name": "zeta", "bounds": [[0.0, 6.0]]}],
    )


@animal("the POI may become negative and does: the lower bound is not zero, the signal is under-fluctuated")
def negative_poi_bound() -> Spec:
    bkg = sample("bkg", [50.0, 45.0], normsys("norm", 0.94, 1.07))
    return workspace(
        [channel("SR", sample("sig", [8.0, 12.0], normfactor()), bkg)],
        {"SR": [46, 36]},
        parameters=[{"name": "mu", "bounds": [[-3.0, 7.0]], "inits": [0.5]}],
    )


@animal(
    "the POI is bounded below by 0.2 and the data would like less",
    mu=1.5,
    no_test="mu = 0 lies outside the bounds",
)
def positive_poi_bound() -> Spec:
    bkg = sample("bkg", [50.0, 45.0], normsys("norm", 0.94, 1.07))
    return workspace(
        [channel("SR", sample("sig", [8.0, 12.0], normfactor()), bkg)],
        {"SR": [47, 38]},
        parameters=[{"name": "mu", "bounds": [[0.2, 7.0]]}],
    )


@animal("a parameter fixed by the measurement at a value that is not its nominal one, another at its nominal")
def fixed_parameters() -> Spec:
    bkg = sample("bkg", [40.0, 30.0], normsys("stuck", 0.8, 1.3), normsys("free", 0.95, 1.04), normfactor("k"))
    return workspace(
        [channel("SR", sample("sig", [5.0, 9.0], normfactor()), bkg)],
        {"SR": [44, 35]},
        parameters=[{"name": "stuck", "inits": [0.4], "fixed": True}, {"name": "k", "fixed": True}],
    )


@animal("the luminosity is 1.3 +- 0.05, not 1, and scales one sample of two")
def lumi_not_one() -> Spec:
    sig = sample("sig", [3.0, 4.5], normfactor(), lumi())
    bkg = sample("bkg", [20.0, 16.0], lumi())
    data_driven = sample("fakes", [5.0, 3.0], normsys("fake_rate", 0.7, 1.45))
    return workspace([channel("SR", sig, bkg, data_driven)], {"SR": [34, 30]}, parameters=[lumi_config(1.3, 0.05)])


@animal("one shapefactor shared by a control and a signal region, of which the control has a bin more")
def shapefactor_shared() -> Spec:
    control = channel("CR", sample("qcd", [100.0, 60.0, 30.0], shapefactor("template")))
    signal = channel(
        "SR",
        sample("qcd", [20.0, 12.0], shapefactor("template"), normsys("transfer", 0.9, 1.12)),
        sample("sig", [2.0, 6.0], normfactor()),
    )
    return workspace([signal, control], {"CR": [112, 55, 33], "SR": [24, 17]})


@animal(
    "shapesys with a bin without yield and one without uncertainty: their parameters are fixed",
    no_discovery="mu = 0 gives Asimov data of mu = 1 probability zero",
)
def shapesys_empty_bins() -> Spec:
    bkg = sample("bkg", [20.0, 0.0, 15.0, 9.0], shapesys("unc", [3.0, 1.0, 0.0, 2.5]))
    sig = sample("sig", [2.0, 3.0, 4.0, 1.0], normfactor())
    return workspace([channel("SR", sig, bkg)], {"SR": [23, 0, 18, 10]})


@animal("one staterror over three samples, of which one has no uncertainty; an empty bin; a sample stays outside")
def staterror_samples() -> Spec:
    return workspace(
        [
            channel(
                "SR",
                sample("sig", [3.0, 5.0, 2.0], normfactor()),
                sample("ttbar", [20.0, 10.0, 0.0], staterror("stat", [2.0, 1.2, 0.0])),
                sample("wjets", [6.0, 8.0, 0.0], staterror("stat", [1.5, 0.7, 0.0])),
                sample("diboson", [2.0, 1.0, 0.0], staterror("stat", [0.0, 0.0, 0.0])),
                sample("fakes", [1.0, 2.0, 5.0]),
            )
        ],
        {"SR": [33, 27, 6]},
    )


@animal("one staterror name in two channels, another channel between them, a second staterror that sorts before")
def staterror_channels() -> Spec:
    return workspace(
        [
            channel("c", sample("bkg", [15.0], staterror("stat", [1.8])), sample("sig", [4.0], normfactor())),
            channel("b", sample("bkg", [30.0, 22.0], staterror("other_stat", [2.5, 3.5]))),
            channel(
                "a",
                sample("bkg", [12.0, 18.0], staterror("stat", [1.1, 2.2])),
                sample("sig", [1.0, 3.0], normfactor()),
            ),
        ],
        {"a": [14, 22], "b": [33, 19], "c": [19]},
    )


def _two_measurements() -> Spec:
    sig = sample("sig", [4.0, 8.0], normfactor("mu_sig"))
    bkg = sample("bkg", [32.0, 27.0], normfactor("mu_bkg"), normsys("unc", 0.9, 1.13))
    control = sample("bkg", [90.0], normfactor("mu_bkg"))
    document = workspace([channel("SR", sig, bkg), channel("CR", control)], {"SR": [37, 31], "CR": [95]}, poi="mu_sig")
    second = {
        "name": "background_strength",
        "config": {
            "poi": "mu_bkg",
            "parameters": [
                {"name": "mu_bkg", "bounds": [[0.0, 3.0]], "inits": [0.9]},
                {"name": "unc", "fixed": True},
            ],
        },
    }
    document["measurements"].append(second)
    return document


@animal("two measurements with different POIs: the first is the default")
def two_measurements_first() -> Spec:
    return _two_measurements()


@animal(
    "two measurements with different POIs: the second has its own settings",
    measurement="background_strength",
    mu=1.2,
    no_test="without the background, mu = 0, the data have probability zero",
)
def two_measurements_second() -> Spec:
    return _two_measurements()


@animal("a model without a POI", no_test="there is no POI")
def no_poi() -> Spec:
    bkg = sample("bkg", [25.0, 18.0], normsys("unc", 0.88, 1.1), normfactor("scale"))
    return workspace([channel("CR", bkg)], {"CR": [29, 20]}, poi="")


@animal("inits, bounds, auxdata and sigmas from the measurement, different from one component to the next")
def configured_parameters() -> Spec:
    bkg = sample(
        "bkg",
        [24.0, 36.0],
        normsys("alpha", 0.9, 1.2),
        shapesys("gamma", [3.0, 4.0]),
    )
    top = sample("top", [10.0, 6.0], staterror("stat", [1.0, 0.5]))
    return workspace(
        [channel("SR", sample("sig", [5.0, 4.0], normfactor()), bkg, top)],
        {"SR": [41, 49]},
        parameters=[
            {"name": "mu", "inits": [0.3], "bounds": [[0.0, 20.0]]},
            {"name": "alpha", "inits": [0.2], "bounds": [[-3.0, 2.0]], "auxdata": [0.35]},
            {
                "name": "gamma",
                "inits": [0.9, 1.2],
                "bounds": [[0.1, 4.0], [0.2, 5.0]],
                "auxdata": [60.0, 85.0],
            },
            {"name": "stat", "inits": [1.05, 0.95], "sigmas": [0.15, 0.05], "auxdata": [1.02, 0.97]},
        ],
    )


@animal("names that no sort by hand gets right: upper and lower case, digits, spaces, Greek, brackets")
def awkward_names() -> Spec:
    return workspace(
        [
            channel(
                "SR 10",
                sample("Zjets", [14.0], normsys("α_JES", 0.9, 1.12)),
                sample("signal[0]", [3.0], normfactor("μ")),
            ),
            channel(
                "SR 9",
                sample("zjets", [11.0], normsys("a b", 0.93, 1.05)),
                sample("signal[0]", [2.0], normfactor("μ")),
            ),
            channel(
                "cr",
                sample("Zjets", [40.0], normsys("B", 1.08, 0.95), normsys("a b", 0.98, 1.06)),
                sample("1st", [5.0], normsys("α_JES", 0.95, 1.02)),
            ),
        ],
        {"cr": [47], "SR 9": [14], "SR 10": [18]},
        poi="μ",
    )


@animal("the first channel has no signal at all, the second no background uncertainty")
def signal_in_one_channel() -> Spec:
    control = channel("CR", sample("bkg", [120.0, 80.0], normfactor("k"), normsys("ratio", 0.96, 1.05)))
    signal = channel("SR", sample("bkg", [13.0], normfactor("k")), sample("sig", [6.0], normfactor()))
    return workspace([control, signal], {"CR": [131, 88], "SR": [16]})


@animal("an over-fluctuation: muhat lies above the tested mu, so q is exactly 0")
def over_fluctuation() -> Spec:
    bkg = sample("bkg", [20.0, 15.0], normsys("unc", 0.95, 1.08))
    return workspace([channel("SR", sample("sig", [5.0, 8.0], normfactor()), bkg)], {"SR": [37, 36]})


@animal("an under-fluctuation: muhat sits at its bound 0")
def under_fluctuation() -> Spec:
    bkg = sample("bkg", [20.0, 15.0], normsys("unc", 0.95, 1.08))
    return workspace([channel("SR", sample("sig", [5.0, 8.0], normfactor()), bkg)], {"SR": [16, 9]})


@animal("a million events in a bin and ten in another: cancellations in the Poisson terms", mu=1.0)
def large_counts() -> Spec:
    bkg = sample("bkg", [1.0e6, 2.0e5, 8.0], normsys("unc", 0.999, 1.0015), staterror("stat", [800.0, 300.0, 1.0]))
    return workspace(
        [channel("SR", sample("sig", [1500.0, 900.0, 4.0], normfactor()), bkg)], {"SR": [1001000, 200500, 10]}
    )


@animal("expected yields of a hundredth and no event observed", mu=100.0)
def tiny_counts() -> Spec:
    bkg = sample("bkg", [0.01, 0.02], normsys("unc", 0.7, 1.5))
    return workspace(
        [channel("SR", sample("sig", [0.03, 0.01], normfactor()), bkg)],
        {"SR": [0, 0]},
        parameters=[{"name": "mu", "bounds": [[0.0, 1000.0]]}],
    )


@animal("observations that are not whole numbers, as in Asimov data")
def fractional_data() -> Spec:
    bkg = sample("bkg", [8.5, 3.25], shapesys("unc", [1.25, 0.75]))
    return workspace([channel("SR", sample("sig", [2.25, 3.5], normfactor()), bkg)], {"SR": [9.125, 4.75]})


@animal("all seven modifier types at once, over two channels")
def everything() -> Spec:
    return workspace(
        [
            channel(
                "signal",
                sample("higgs", [2.0, 5.0], normfactor(), lumi(), normsys("theory", 0.88, 1.09)),
                sample(
                    "ttbar",
                    [18.0, 11.0],
                    lumi(),
                    normsys("theory", 1.04, 0.93),
                    histosys("jes", [16.5, 11.8], [20.0, 10.5]),
                    staterror("stat_signal", [1.4, 1.0]),
                ),
                sample("fakes", [6.0, 4.0], shapesys("fake_rate", [1.5, 0.8])),
                sample("qcd", [3.0, 2.0], shapefactor("qcd_shape")),
            ),
            channel(
                "control",
                sample("ttbar", [70.0, 50.0], lumi(), histosys("jes", [66.0, 53.0], [75.0, 48.0])),
                sample("qcd", [30.0, 25.0], shapefactor("qcd_shape")),
            ),
        ],
        {"signal": [32, 22], "control": [104, 81]},
        parameters=[lumi_config(1.0, 0.017)],
    )


def names() -> list[str]:
    """The names of all entries, for parametrisation."""
    return list(ZOO)


def testable() -> list[str]:
    """The names of those that allow a hypothesis test of their `mu`."""
    return [name for name, entry in ZOO.items() if not entry.no_test]
