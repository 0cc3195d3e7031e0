"""Batches as they run on accelerators, all lanes together, give what they give on CPUs, one lane after the other."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.core.fit import lanes
from tests.parity import cases

NAME = "asymmetric_systematics"


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the accelerator's branch on this machine."""

    def elsewhere(on_cpu: Callable[..., Any], other: Callable[..., Any], *args: Any) -> Any:
        return other(*args)

    monkeypatch.setattr(lanes, "by_platform", elsewhere)
    monkeypatch.setattr(import_module("pyhf_func.core.inference.hypotest"), "by_platform", elsewhere)
    jax.clear_caches()


def expected_tests(mus: jax.Array, data: jax.Array, model: pf.Model) -> list[Any]:
    return [pf.hypotest(mu, data, model) for mu in mus]


@pytest.mark.slow
@pytest.mark.usefixtures("together")
def test_scan_together() -> None:
    model, data, mus = cases.ours(NAME), jnp.array(cases.observed(NAME)), jnp.array([0.3, 2.0, 1.0])
    found = jax.jit(jax.vmap(pf.hypotest, in_axes=(0, None, None)))(mus, data, model)
    single = expected_tests(mus, data, model)
    assert np.all(np.asarray(found.status) == 0)
    np.testing.assert_allclose(found.cls, [each.cls for each in single], rtol=1e-8)
    np.testing.assert_allclose(found.cls_expected, [each.cls_expected for each in single], rtol=1e-8)


@pytest.mark.slow
@pytest.mark.usefixtures("together")
def test_data_together() -> None:
    model, data = cases.ours(NAME), jnp.array(cases.observed(NAME))
    main = jnp.arange(data.size) < model.config.nmaindata
    batch = data[None] + jnp.outer(jnp.arange(3.0), main)
    found = jax.jit(jax.vmap(pf.fit, in_axes=(0, None)))(batch, model)
    single = [pf.fit(each, model) for each in batch]
    np.testing.assert_allclose(found.twice_nll, [each.twice_nll for each in single], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.pars, np.stack([each.pars for each in single]), rtol=0, atol=1e-5)
