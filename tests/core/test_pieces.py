"""Progress bars: long work in pieces gives what one computation gives, and writes to standard error alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.verbs._pieces import in_pieces
from tests.core import toy
from tests.core.elsewhere import Elsewhere

VERBS: dict[str, Callable[..., Any]] = {
    "scan": lambda *args, **kwargs: pf.scan(np.linspace(0.0, 3.0, 14), *args, **kwargs),
    "profile": lambda *args, **kwargs: pf.profile({"mu": np.linspace(0.0, 3.0, 14)}, *args, **kwargs),
    "impacts": pf.impacts,
    "intervals": pf.intervals,
}
DIAGNOSTICS = ("iterations", "edm", "gradient_norm", "minima", "runner_up", "fits")
"""Fields that depend on where fits started."""


def assert_same(found: Any, whole: Any, **tolerances: float) -> None:
    """Every number, shape, type and name."""
    assert found.model_names == whole.model_names
    paths = jax.tree_util.tree_leaves_with_path(whole)
    assert jax.tree.structure(found) == jax.tree.structure(whole)
    for (path, expected), value in zip(paths, jax.tree.leaves(found), strict=True):
        assert isinstance(value, type(expected))
        assert (value.shape, value.dtype) == (expected.shape, expected.dtype)
        if str(path[-1]).strip(".") not in DIAGNOSTICS:
            np.testing.assert_allclose(value, expected, **tolerances, err_msg=str(path))


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_pieces_are_the_whole(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the last piece is shorter than the others, and where others compute them."""
    model, data = toy.toy()
    whole = VERBS[verb](data, model)
    assert capsys.readouterr() == ("", "")
    found = VERBS[verb](data, model, progress=True)
    shown = capsys.readouterr()
    assert "0%" in shown.err
    assert shown.out == ""
    assert found.about["verb"] == verb
    assert_same(found, whole, rtol=1e-5, atol=2e-6)
    elsewhere = VERBS[verb](data, model, executor=Elsewhere())
    assert capsys.readouterr() == ("", "")
    assert_same(elsewhere, found, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_other_processes_give_what_this_one_does() -> None:
    model, data = toy.toy()
    with ProcessPoolExecutor(1, get_context("spawn")) as workers:
        for verb in ("scan", "impacts"):
            found, pieces = (VERBS[verb](data, model, executor=own) for own in (workers, Elsewhere()))
            assert_same(found, pieces, rtol=1e-9, atol=1e-9)


def test_a_lost_worker_breaks_off_named_members() -> None:
    model, data = toy.toy()
    workers = Elsewhere()
    workers.lost = 3
    with pytest.raises(BrokenExecutor, match="a worker was lost") as broken:
        VERBS["scan"](data, model, executor=workers)
    assert broken.value.__notes__ == ["This happened at values 5 to 6 of 14."]


def test_executors_are_refused_where_they_can_not_work() -> None:
    model, data = toy.toy()
    with pytest.raises(TypeError, match="method submit"):
        pf.scan([0.5, 1.0], data, model, executor=4)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="leave executor out"):
        jax.jit(lambda data: pf.scan([0.5, 1.0], data, model, executor=Elsewhere()).cls)(jnp.asarray(data))


def test_there_is_no_bar_inside_transformations(capsys: pytest.CaptureFixture[str]) -> None:
    model, data = toy.toy()
    shapes = jax.eval_shape(lambda data: pf.scan([0.5, 1.0, 2.0], data, model, progress=True), jnp.asarray(data))
    assert shapes.cls.shape == (3,)
    assert capsys.readouterr().err == ""


def test_a_better_minimum_in_one_piece_is_one_for_all() -> None:
    """Members are compared with one free fit: where pieces met different ones, all are computed together."""
    sizes = []

    def profile(inputs: Any, some: Any) -> pf.ProfileResult:
        sizes.append(len(some))
        nothing = pf.FitResult(*[jnp.zeros(())] * len(pf.FitResult._fields))
        lowest = jnp.where(jnp.any(some > 20), -1.0, 0.0)  # only the last piece meets the better minimum
        return pf.ProfileResult((some,), some - lowest, jnp.zeros(len(some)), nothing._replace(twice_nll=lowest), some)

    found = in_pieces(profile, (), np.arange(24.0), ("values", "free_fit"), "value", progress=True)
    assert sizes == [2] * 12 + [24]
    np.testing.assert_array_equal(found.ratio, np.arange(24.0) + 1.0)
    sizes.clear()
    found = in_pieces(profile, (), np.arange(13.0), ("values", "free_fit"), "value", progress=True)
    np.testing.assert_array_equal(found.ratio, np.arange(13.0))
    assert sizes == [2] * 7
