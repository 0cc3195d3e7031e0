"""Pictures refuse results of other verbs, and what is no model, with a word on what to give."""

from collections.abc import Callable
from typing import Any

import pytest

import pyhf_func as pf

pytest.importorskip("matplotlib")

MODEL = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
OTHERS = (None, 5, "result.json", [], object(), MODEL, {"mu": None}, pf.FitResult(*[0.0] * len(pf.FitResult._fields)))

PICTURES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "cls": (pf.plot.cls, "scan"),
    "limits": (pf.plot.limits, "upper_limit"),
    "exclusion": (pf.plot.exclusion, "grid"),
    "pulls": (lambda result: pf.plot.pulls(result, MODEL), "covariance"),
    "ranking": (lambda result: pf.plot.ranking(result, MODEL), "impacts"),
    "correlation": (lambda result: pf.plot.correlation(result, MODEL), "covariance"),
    "profile": (lambda result: pf.plot.profile(result, MODEL, "mu"), "profile"),
    "toys": (pf.plot.toys, "toys"),
    "goodness_of_fit": (pf.plot.goodness_of_fit, "goodness_of_fit"),
    "yields": (lambda result: pf.plot.yields(result, MODEL), "yields"),
}


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("result", OTHERS, ids=lambda result: type(result).__name__)
def test_a_result_of_another_verb_is_refused(picture: str, result: Any) -> None:
    draw, verb = PICTURES[picture]
    with pytest.raises(TypeError, match=rf"result is of type .*pyhf_func\.{verb} returned"):
        draw(result)


def test_a_model_is_needed_and_has_known_names() -> None:
    nothing = pf.YieldsResult(*[None] * len(pf.YieldsResult._fields))
    with pytest.raises(TypeError, match=r"model is a workspace: give its model"):
        pf.plot.yields(nothing, pf.Workspace.build(MODEL, [51.0, 48.0]))
    with pytest.raises(TypeError, match="model is None"):
        pf.plot.templates(None, "mu", "singlechannel")
    with pytest.raises(ValueError, match="no channel 'singlchannel': did you mean 'singlechannel'"):
        pf.plot.templates(MODEL, "mu", "singlchannel")
    with pytest.raises(ValueError, match="no parameter 'uncorr_bkguncrt'"):
        pf.plot.templates(MODEL, "uncorr_bkguncrt", "singlechannel")
