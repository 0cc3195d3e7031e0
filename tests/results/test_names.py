"""Results know the names of their models, and what follows from them."""

import copy
import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.exceptions import InvalidModel, InvalidPdfParameters
from tests.results.every import VERBS, data, model, result_of, workspace


@pytest.mark.parametrize("verb", VERBS)
def test_every_result_knows_its_parameters_by_name(verb: str) -> None:
    result, best = result_of(verb), result_of("fit").pars
    values = result.values_by_name()
    np.testing.assert_allclose(values["mu"], best[0], atol=1e-7)
    np.testing.assert_allclose(values["gamma"], best[1:], atol=1e-7)
    assert result.model_names.poi == "mu"


def test_a_name_gives_the_best_value_and_a_component_its_own() -> None:
    fit = result_of("fit")
    assert float(fit["mu"]) == float(fit.pars[0])
    assert fit["gamma"].shape == (2,)
    assert float(fit["gamma[1]"]) == float(fit.pars[2])
    assert float(result_of("hypotest").conditional_fit["mu"]) == 1.0


@pytest.mark.parametrize("name", ["nu", "gamma[2]", "mu[x]"])
def test_a_name_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(InvalidPdfParameters, match="mu|gamma"):
        result_of("fit")[name]


def test_results_stay_named_tuples() -> None:
    fit = result_of("fit")
    pars, twice_nll, *_ = fit
    assert pars is fit.pars is fit[0]
    assert twice_nll is fit[1:2][0]
    assert fit._fields[:2] == ("pars", "twice_nll")
    assert fit._asdict()["pars"] is pars
    assert fit._replace(twice_nll=0.0)["mu"] == fit["mu"]
    assert isinstance(fit, tuple)
    assert len(fit) == len(fit._fields)


@pytest.mark.parametrize("verb", ["fit", "hypotest"])
def test_names_survive_transformations(verb: str) -> None:
    def computed(counts: Any) -> Any:
        return pf.fit(counts, model()) if verb == "fit" else pf.hypotest(1.0, counts, model())

    batch = jax.eval_shape(jax.jit(jax.vmap(computed)), jnp.stack([data(), data()]))
    assert batch.model_names == result_of(verb).model_names
    assert jax.tree.structure(batch) == jax.tree.structure(result_of(verb))
    assert hash(jax.tree.structure(batch)) == hash(jax.tree.structure(result_of(verb)))


def test_members_of_a_batch_have_names() -> None:
    fits = result_of("scan").conditional_fit
    np.testing.assert_array_equal(fits["mu"], [0.5, 1.0, 1.5])
    assert fits["gamma"].shape == (3, 2)
    assert float(jax.tree.map(lambda x: x[1], fits)["mu"]) == 1.0


def test_a_named_value_has_the_gradient_of_its_element() -> None:
    named, plain = (
        jax.make_jaxpr(jax.grad(lambda counts, of=of: of(pf.fit(counts, model()))))(data())
        for of in (lambda fit: fit["mu"], lambda fit: fit.pars[0])
    )
    assert len(named.eqns) == len(plain.eqns)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_know_the_same(again: Any) -> None:
    found = result_of("hypotest")
    other = again(found)
    assert other.model_names == found.model_names
    assert other.about == found.about
    assert float(other.free_fit["mu"]) == float(found.free_fit["mu"])


def test_a_status_is_shown_as_its_word_and_stays_a_number() -> None:
    fit, scan = result_of("fit"), result_of("scan")
    assert str(fit.status) == f"{fit.status}" == "CONVERGED"
    assert fit.status == pf.Status.CONVERGED
    assert int(fit.status) == 0
    assert str(scan.status) == "[CONVERGED CONVERGED CONVERGED]"
    assert str(scan.status[1]) == "CONVERGED"
    assert (scan.status == 0).all()
    assert (scan.status + 1).sum() == 3
    assert isinstance(jax.tree.leaves(fit)[2], jax.Array)
    assert jax.jit(lambda status: status + 5)(fit.status) == 5


@pytest.mark.parametrize("verb", VERBS)
def test_every_result_tells_what_it_was_made_with(verb: str) -> None:
    about = result_of(verb).about
    assert about["verb"] == verb
    assert about["digest"] == f"sha256:{pf.utils.digest(workspace())}"
    assert about["measurement"] == "search"
    assert about["versions"]["pyhf_func"] == pf.__version__
    assert about["settings"]["minimiser"] == "newton"
    assert about["seed"] == (jax.random.key_data(jax.random.key(3)).tolist() if verb == "toys" else None)


def test_what_a_transformation_made_claims_no_origin() -> None:
    assert jax.jit(lambda counts: pf.fit(counts, model()))(data()).about == {}
    assert pf.fit(data(), model().with_yields("SR", "signal", [1.0, 2.0])).about["digest"] is None


@pytest.mark.parametrize("verb", VERBS)
def test_fits_go_on_from_every_result_at_once(verb: str) -> None:
    again = pf.fit(data(), model(), init=result_of(verb))
    np.testing.assert_allclose(again.pars, result_of("fit").pars, atol=1e-7)
    assert int(again.iterations) <= 1 < int(result_of("fit").iterations)


def test_a_result_starts_another_model_by_name() -> None:
    """The other model has the parameters in another order, one more, and bounds that leave no room for the value."""
    other = pf.Model(
        {
            "channels": [
                {
                    "name": "SR",
                    "samples": [
                        {
                            "name": "background",
                            "data": [50.0, 52.0],
                            "modifiers": [
                                {"name": "alpha", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}},
                                {"name": "gamma", "type": "shapesys", "data": [3.0, 7.0]},
                                {"name": "mu", "type": "normfactor", "data": None},
                            ],
                        }
                    ],
                }
            ],
            "parameters": [{"name": "mu", "bounds": [[2.0, 3.0]], "inits": [2.5]}],
        }
    )
    counts = [58.0, 63.0, *other.config.auxdata]
    fit = result_of("fit")
    held = pf.fit(counts, other, init=fit, fixed=other.config.par_order)
    np.testing.assert_allclose(held["mu"], 2.0)
    np.testing.assert_allclose(held["gamma"], fit["gamma"])
    assert float(held["alpha"]) == 0.0


def test_a_result_fixes_what_it_fitted_but_never_a_tested_parameter() -> None:
    fit = result_of("fit")
    held = pf.fit(data(), model(), fixed=fit)
    np.testing.assert_allclose(held.twice_nll, fit.twice_nll)
    np.testing.assert_array_equal(held.pars, fit.pars)
    test = pf.hypotest(1.0, data(), model(), fixed=fit)
    by_hand = pf.hypotest(1.0, data(), model(), fixed={"gamma": fit["gamma"]})
    np.testing.assert_array_equal(test.cls, by_hand.cls)
    np.testing.assert_array_equal(test.conditional_fit["gamma"], fit["gamma"])


def test_results_go_on_inside_jit() -> None:
    fit = result_of("fit")
    again = jax.eval_shape(lambda start, counts: pf.fit(counts, model(), init=start, fixed=start), fit, data())
    assert jax.tree.structure(again) == jax.tree.structure(fit)


def test_a_result_that_does_not_fit_is_refused() -> None:
    batch = result_of("scan").conditional_fit
    with pytest.raises(InvalidPdfParameters, match="one member of a batch"):
        pf.fit(data(), model(), init=batch)
    with pytest.raises(InvalidModel, match="is fixed"):
        pf.hypotest(1.0, data(), model(), fixed=["mu"])
