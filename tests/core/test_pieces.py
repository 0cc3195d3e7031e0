"""Progress bars: long work in pieces gives what one computation gives, and writes to standard error alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.verbs._pieces import in_pieces
from tests.core import toy

VERBS: dict[str, Callable[..., Any]] = {
    "scan": lambda *args, **kwargs: pf.scan(np.linspace(0.0, 3.0, 14), *args, **kwargs),
    "profile": lambda *args, **kwargs: pf.profile({"mu": np.linspace(0.0, 3.0, 14)}, *args, **kwargs),
    "impacts": pf.impacts,
    "intervals": pf.intervals,
}
DIAGNOSTICS = ("iterations", "edm", "gradient_norm", "minima", "runner_up", "fits")
"""Fields that depend on where fits started."""


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_pieces_are_the_whole(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every number, shape, type and name, also where the last piece is shorter than the others."""
    model, data = toy.toy()
    whole = VERBS[verb](data, model)
    assert capsys.readouterr() == ("", "")
    found = VERBS[verb](data, model, progress=True)
    shown = capsys.readouterr()
    assert "0%" in shown.err
    assert shown.out == ""
    assert found.model_names == whole.model_names
    assert found.about["verb"] == verb
    paths = jax.tree_util.tree_leaves_with_path(whole)
    assert jax.tree.structure(found) == jax.tree.structure(whole)
    for (path, expected), value in zip(paths, jax.tree.leaves(found), strict=True):
        assert isinstance(value, type(expected))
        assert (value.shape, value.dtype) == (expected.shape, expected.dtype)
        if str(path[-1]).strip(".") not in DIAGNOSTICS:
            np.testing.assert_allclose(value, expected, rtol=1e-5, atol=2e-6, err_msg=str(path))


def test_there_is_no_bar_inside_transformations(capsys: pytest.CaptureFixture[str]) -> None:
    model, data = toy.toy()
    shapes = jax.eval_shape(lambda data: pf.scan([0.5, 1.0, 2.0], data, model, progress=True), jnp.asarray(data))
    assert shapes.cls.shape == (3,)
    assert capsys.readouterr().err == ""


def test_a_better_minimum_in_one_piece_is_one_for_all() -> None:
    """Members are compared with one free fit: where pieces met different ones, all are computed together."""
    sizes = []

    def profile(some: Any) -> pf.ProfileResult:
        sizes.append(len(some))
        nothing = pf.FitResult(*[jnp.zeros(())] * len(pf.FitResult._fields))
        lowest = jnp.where(jnp.any(some > 20), -1.0, 0.0)  # only the last piece meets the better minimum
        return pf.ProfileResult((some,), some - lowest, jnp.zeros(len(some)), nothing._replace(twice_nll=lowest), some)

    found = in_pieces(profile, np.arange(24.0), (), ("values", "free_fit"), "value")
    assert sizes == [2] * 12 + [24]
    np.testing.assert_array_equal(found.ratio, np.arange(24.0) + 1.0)
    sizes.clear()
    np.testing.assert_array_equal(
        in_pieces(profile, np.arange(13.0), (), ("free_fit",), "value").ratio, np.arange(13.0)
    )
    assert sizes == [2] * 7
