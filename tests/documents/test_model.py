"""Odd but meaningful documents give the numbers of pyhf 0.7.6; others are refused by the model itself."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from pyhf_func.exceptions import WorkspaceWarning
from pyhf_func.pdf import Model
from tests.documents.bad_models import DOUBTS, FAULTS, SOUND, Bad
from tests.documents.documents import Change, model_spec, spoiled

ODD: dict[str, Change] = {**{dubious.name: dubious.change for dubious in DOUBTS}, **SOUND}
del ODD["integers"], ODD["as it is"]


@pytest.mark.parametrize("name", ODD)
def test_odd_documents_give_the_numbers_of_pyhf(name: str, pyhf_numpy: Any) -> None:
    spec = spoiled(model_spec, ODD[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WorkspaceWarning)
        ours = Model(spec)
    theirs = pyhf_numpy.Model(spec, poi_name="mu")
    assert ours.config.par_names == theirs.config.par_names
    init = theirs.config.suggested_init()
    pars, data = np.asarray(init) * 1.01 + 0.01, theirs.expected_data(init)
    assert float(ours.logpdf(pars, data)[0]) == pytest.approx(float(theirs.logpdf(pars, data)[0]), rel=1e-11)


@pytest.mark.parametrize("bad", FAULTS[::9], ids=lambda bad: bad.name)
def test_model_refuses_faults(bad: Bad) -> None:
    for validate in (True, False):
        with pytest.raises(bad.exception) as caught:
            Model(spoiled(model_spec, bad.change), validate=validate)
        assert caught.value.faults[0].path == bad.path
