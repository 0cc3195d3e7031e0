"""The parts that models are documented to be made of, in every backend: views, distributions, interpolators,
constraints, parameters and modifier types."""

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func import interpolators, probability
from pyhf_func.constraints import gaussian_constraint_combined, poisson_constraint_combined
from pyhf_func.exceptions import InvalidInterpCode, InvalidModel, InvalidModifier, InvalidNameReuse
from pyhf_func.parameters import ParamViewer, paramsets, reduce_paramsets_requirements
from pyhf_func.tensor.common import TensorViewer
from tests.documented.full_model import DATA, SPEC, assert_same, point
from tests.documented.models import flat

CODES: tuple[int | str, ...] = (0, 1, 2, 4, "4p")
HISTOGRAMS = [
    [[[8.0, 19.0], [10.0, 20.0], [11.0, 24.0]], [[5.0, 6.0], [5.0, 7.0], [6.0, 9.0]]],
    [[[9.0, 1.0], [10.0, 2.0], [15.0, 2.5]], [[3.0, 8.0], [4.0, 7.0], [4.5, 6.0]]],
]
ALPHAS = [[-0.9, -0.3, 0.0, 0.6, 1.0, 1.7], [0.1, 0.5, 2.5, -1.0, 0.99, -0.01]]


@pytest.mark.parametrize("code", CODES)
def test_interpolation(backend: Any, pyhf_numpy: ModuleType, code: int | str) -> None:
    result = interpolators.get(code)(HISTOGRAMS, subscribe=False)(backend.astensor(ALPHAS))
    assert isinstance(result, backend.array_type)
    assert_same(result, pyhf_numpy.interpolators.get(code)(HISTOGRAMS, subscribe=False)(np.array(ALPHAS)), 1e-11)
    assert interpolators.get(code) is getattr(interpolators, f"code{code}")


def test_code2_is_symmetric() -> None:
    """Below -1 the shift is that of the mirrored histograms above 1, where pyhf 0.7.6 slips."""
    alphas = np.array([[1.5, 3.0]])
    up = interpolators.code2([[[[7.0], [10.0], [11.0]]]], subscribe=False)(alphas)
    down = interpolators.code2([[[[11.0], [10.0], [7.0]]]], subscribe=False)(-alphas)
    np.testing.assert_allclose(up, down, rtol=1e-14)


@pytest.mark.parametrize("code", CODES)
def test_one_by_one_gives_the_same(code: int | str) -> None:
    slow = interpolators.get(code, do_tensorized_calc=False)(HISTOGRAMS, subscribe=False)
    fast = interpolators.get(code)(HISTOGRAMS, subscribe=False)
    np.testing.assert_allclose(slow(ALPHAS), fast(ALPHAS), rtol=1e-13)


def test_where_code4_begins(pyhf_numpy: ModuleType) -> None:
    for alpha0 in (0.5, 2.0):
        ours = interpolators.code4(HISTOGRAMS, subscribe=False, alpha0=alpha0)
        theirs = pyhf_numpy.interpolators.code4(HISTOGRAMS, subscribe=False, alpha0=alpha0)
        np.testing.assert_allclose(ours(np.array(ALPHAS)), theirs(np.array(ALPHAS)), rtol=1e-11)


@pytest.mark.slow
def test_interpolators_are_differentiable() -> None:
    """In alpha and in the histograms, and traced."""

    def total(histograms: Any, alphas: Any) -> Any:
        return interpolators.code4p(histograms, subscribe=False)(alphas).sum()

    histograms, alphas = jnp.array(HISTOGRAMS), jnp.array(ALPHAS)
    slopes = jax.jit(jax.grad(total, argnums=(0, 1)))(histograms, alphas)
    step = 1e-6
    for argument, slope in enumerate(slopes):
        inputs = [histograms, alphas]
        place = (0,) * slope.ndim
        up, down = ([x.at[place].add(s) if i == argument else x for i, x in enumerate(inputs)] for s in (step, -step))
        difference = (total(*up) - total(*down)) / (2 * step)
        np.testing.assert_allclose(slope[place], difference, rtol=1e-6)
    with pf.set_backend("pytorch"):
        tensor = pf.tensorlib.astensor(ALPHAS).requires_grad_()
        interpolators.code4p(HISTOGRAMS, subscribe=False)(tensor).sum().backward()
        np.testing.assert_allclose(tensor.grad, slopes[1], rtol=1e-12)


def test_codes_that_do_not_exist() -> None:
    for code in (3, "fake", [0], None):
        with pytest.raises(InvalidInterpCode, match="4p"):
            interpolators.get(code)  # type: ignore[arg-type]


def test_views(backend: Any) -> None:
    view = TensorViewer([[0, 3], [2, 1]], names=["ends", "middle"])
    for whole in ([10.0, 11.0, 12.0, 13.0], [[10.0, 11.0, 12.0, 13.0], [20.0, 21.0, 22.0, 23.0]]):
        tensor = backend.astensor(whole)
        parts = view.split(tensor)
        np.testing.assert_array_equal(flat(parts[1]), np.array(whole)[..., [2, 1]].ravel())
        np.testing.assert_array_equal(flat(view.split(tensor, selection=["middle"])[0]), flat(parts[1]))
        assert backend.tolist(view.stitch(parts)) == whole
    with pytest.raises(AssertionError, match="2 parts"):
        view.stitch([tensor])


def test_parameter_views(backend: Any) -> None:
    par_map = {"a": {"slice": slice(0, 2)}, "b": {"slice": slice(2, 3)}, "c": {"slice": slice(3, 5)}}
    view = ParamViewer((5,), par_map, ["c", "a"])
    assert backend.tolist(view.get(backend.astensor([1.0, 2.0, 3.0, 4.0, 5.0]))) == [4.0, 5.0, 1.0, 2.0]
    batch = ParamViewer((2, 5), par_map, ["c", "b"])
    values = backend.astensor([[1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]])
    assert backend.tolist(batch.get(values)) == [[4.0, 9.0], [5.0, 10.0], [3.0, 8.0]]
    assert [backend.tolist(part) for part in batch.index_selection] == [[[3, 4], [8, 9]], [[2], [7]]]
    assert ParamViewer((5,), par_map, []).get(values) is None


def test_distributions(backend: Any, pyhf_numpy: ModuleType) -> None:
    rates, widths, values = [3.0, 8.5], [0.5, 2.0], [[2.0, 9.0], [4.0, 0.0]]
    pairs = (
        (probability.Poisson, pyhf_numpy.probability.Poisson, (rates,)),
        (probability.Normal, pyhf_numpy.probability.Normal, (rates, widths)),
    )
    tensors = backend.astensor(values)
    for ours, theirs, arguments in pairs:
        mine, expected = ours(*map(backend.astensor, arguments)), theirs(*map(np.array, arguments))
        assert_same(mine.log_prob(tensors), expected.log_prob(np.array(values)))
        assert_same(mine.expected_data(), expected.expected_data())
        sample = mine.sample((7,))
        assert isinstance(sample, backend.array_type)
        assert tuple(sample.shape) == (7, 2)
        joint, their_joint = probability.Independent(mine), pyhf_numpy.probability.Independent(expected)
        assert_same(joint.log_prob(tensors), their_joint.log_prob(np.array(values)))


@pytest.mark.slow
def test_constraints(backend: Any, pyhf_numpy: ModuleType) -> None:
    config = pf.Model(SPEC).config
    theirs = pyhf_numpy.Model(SPEC, poi_name="mu")
    pars, aux = point(theirs), config.auxdata
    for combined in (gaussian_constraint_combined, poisson_constraint_combined):
        their_class = getattr(pyhf_numpy.constraints, combined.__name__)
        for batch, points in ((None, pars), (2, [pars, point(theirs, 0.02)])):
            ours, expected = combined(config, batch), their_class(theirs.config, batch)
            assert ours.has_pdf()
            value = ours.logpdf(backend.astensor(aux), backend.astensor(points))
            assert_same(value, expected.logpdf(np.array(aux), np.array(points)))


@pytest.mark.parametrize("batch_size", [None, 3])
def test_modifications(backend: Any, pyhf_numpy: ModuleType, batch_size: int | None) -> None:
    ours = pf.Model(SPEC, batch_size=batch_size)
    theirs = pyhf_numpy.Model(SPEC, poi_name="mu", batch_size=batch_size)
    pars = point(theirs) if batch_size is None else [point(theirs, 0.02 * i) for i in range(3)]
    for mine, expected in zip(
        ours.modifications(backend.astensor(pars)), theirs._modifications(np.array(pars)), strict=True
    ):
        assert len(mine) == len(expected)
        for effect, their_effect in zip(mine, expected, strict=True):
            assert_same(effect, their_effect, 1e-11)


def test_builders_refuse_what_does_not_fit() -> None:
    config = pf.pdf._ModelConfig(SPEC)
    sample = SPEC["channels"][0]["samples"][1]
    for kind, data in (("histosys", {"lo_data": [1.0], "hi_data": [2.0]}), ("staterror", [1.0]), ("shapesys", [1.0])):
        builder = pf.modifiers.histfactory_set[kind][0](config)
        builder.append(f"{kind}/x", "SR", "background", {"name": "x", "type": kind, "data": data}, sample)
        with pytest.raises(InvalidModifier, match="2 bins"):
            builder.finalize()


def test_requirements_are_reduced() -> None:
    free = {"paramset_type": "unconstrained", "n_parameters": 1, "is_scalar": True, "inits": (1.0,), "fixed": False}
    reduced = reduce_paramsets_requirements({"mu": [free, free]}, {"mu": {"inits": [2.0]}})["mu"]
    assert paramsets.unconstrained(**reduced, bounds=[(0, 1)]).suggested_init == [2.0]
    with pytest.raises(InvalidNameReuse, match="inits"):
        reduce_paramsets_requirements({"mu": [free, {**free, "inits": (2.0,)}]}, {})
    for config, text in (({"inits": [1.0, 2.0]}, "2 inits"), ({"sigmas": [1.0]}, "sigmas")):
        with pytest.raises(InvalidModel, match=text):
            reduce_paramsets_requirements({"mu": [free]}, {"mu": config})


def test_parameter_sets() -> None:
    common: dict[str, Any] = {"name": "x", "n_parameters": 2, "inits": [0.0, 0.0], "bounds": [(-5, 5)] * 2}
    normal = paramsets.constrained_by_normal(**common, fixed=False, is_scalar=False, auxdata=[0.0, 0.0])
    assert normal.width() == [1.0, 1.0]
    normal.suggested_fixed = [True, False]
    with pytest.raises(RuntimeError, match="free"):
        _ = normal.suggested_fixed_as_bool
    with pytest.raises(AssertionError, match="2 components"):
        normal.suggested_fixed = [True]
    poisson = paramsets.constrained_by_poisson(
        **common, fixed=True, is_scalar=False, auxdata=[4.0] * 2, factors=[4.0, 16.0]
    )
    assert (poisson.width(), poisson.suggested_fixed_as_bool) == ([0.5, 0.25], True)
    pars = np.array([0.5, 2.0])
    assert normal.expected_data(pars) is pars
    assert poisson.expected_data(pars).tolist() == [2.0, 32.0]
    with pf.set_backend("jax"):
        assert isinstance(poisson.expected_data([0.5, 2.0]), jax.Array)
    with pytest.raises(ValueError, match="2 components"):
        paramsets.unconstrained(**common, fixed=False, is_scalar=True)


def custom_set(library: ModuleType) -> dict[str, Any]:
    """HistFactory's types and ``bend``: yields times exp(0.1 a + 0.2 a b), with Gaussian a and b."""

    class Builder:
        is_shared = True

        def __init__(self, config: Any) -> None:
            self.config, self.builder_data = config, {}
            required = {
                "paramset_type": "constrained_by_normal",
                "n_parameters": 1,
                "is_scalar": True,
                "inits": (0.0,),
                "bounds": ((-5.0, 5.0),),
                "fixed": False,
                "auxdata": (0.0,),
            }
            self.required_parsets = {name: [required] for name in ("a", "b")}

        def append(self, key: str, channel: str, sample: str, thismod: Any, defined_samp: Any) -> None:
            mask = [bool(thismod)] * self.config.channel_nbins[channel]
            self.builder_data.setdefault(key, {}).setdefault(sample, []).extend(mask)

        def finalize(self) -> Any:
            return self.builder_data

    class Applier:
        name, op_code = "bend", "multiplication"

        def __init__(self, modifiers: Any, pdfconfig: Any, builder_data: Any, batch_size: int | None = None) -> None:
            self._mask = [[[builder_data[f"bend/{name}"][s]] for s in pdfconfig.samples] for name, _ in modifiers]
            self.view = library.parameters.ParamViewer((pdfconfig.npars,), pdfconfig.par_map, ["a", "b"])
            self._precompute()
            library.events.subscribe("tensorlib_changed")(self._precompute)

        def _precompute(self) -> None:
            self.mask = library.get_backend()[0].astensor(self._mask, dtype="bool")

        def apply(self, pars: Any) -> Any:
            tensorlib, _ = library.get_backend()
            a, b = self.view.get(pars)
            factor = tensorlib.exp(0.1 * a + 0.2 * a * b)
            ones = tensorlib.ones(tensorlib.shape(self.mask))
            return tensorlib.where(self.mask, factor * ones, ones)

    return {"bend": (Builder, Applier), **library.modifiers.histfactory_set}


@pytest.mark.slow
def test_custom_modifiers(pyhf_numpy: ModuleType) -> None:
    signal, background = SPEC["channels"][0]["samples"]
    bent = {**signal, "modifiers": [*signal["modifiers"], {"name": "x", "type": "bend", "data": None}]}
    spec = {"channels": [{"name": "SR", "samples": [bent, background]}]}
    ours = pf.Model(spec, modifier_set=custom_set(pf), validate=False)
    theirs = pyhf_numpy.Model(spec, modifier_set=custom_set(pyhf_numpy), poi_name="mu", validate=False)
    assert ours.config.par_names == theirs.config.par_names
    assert ours.config.modifiers == theirs.config.modifiers
    pars, data = point(theirs), DATA[:2] + theirs.config.auxdata
    for name in ("numpy", "pytorch"):
        with pf.set_backend(name):
            assert_same(ours.logpdf(pars, data), theirs.logpdf(pars, data))
            assert_same(ours.expected_data(pars), theirs.expected_data(pars))
            assert pf.tensorlib.name == name
    best = pf.fit(data, ours)
    assert int(best.status) == pf.Status.CONVERGED
    expected = pyhf_numpy.infer.mle.fit(data, theirs, return_fitted_val=True)[1]
    np.testing.assert_allclose(best.twice_nll, expected, rtol=1e-7)
    with pytest.raises(InvalidModel, match="nowhere"):
        pf.Model(spec, modifier_set=custom_set(pf), validate=False, poi_name="nowhere")
    with pytest.raises(InvalidModifier, match="bend"):
        pf.Model(spec, validate=False)


def test_custom_modifiers_beside_additive_uncertainties_are_refused() -> None:
    signal, background = SPEC["channels"][0]["samples"]
    bent = {**signal, "modifiers": [*signal["modifiers"], {"name": "x", "type": "bend", "data": None}]}
    spread = {"name": "mc", "type": "staterror", "data": [1.0, 1.0], "style": "additive"}
    uncertain = {**background, "modifiers": [*background["modifiers"], spread]}
    spec = {"channels": [{"name": "SR", "samples": [bent, uncertain]}]}
    with pytest.raises(InvalidModifier, match="can't go with a staterror of the style 'additive'"):
        pf.Model(spec, modifier_set=custom_set(pf), validate=False)


@pytest.mark.parametrize("kind", pf.modifiers.histfactory_set)
def test_registered_modifier_types(kind: str) -> None:
    """Those of HistFactory: how they are constrained, and what they do."""
    entry = pf.modifiers.registry[kind]
    density = {"normfactor": None, "shapefactor": None, "shapesys": "poisson"}.get(kind, "normal")
    assert (entry.__name__, entry.is_constrained, entry.pdf_type) == (kind, density is not None, density)
    assert entry.op_code == ("addition" if kind == "histosys" else "multiplication")
    assert entry.required_parset([5.0], [1.0])["n_parameters"] == 1


def test_modifier_types_by_decorator(monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without arguments; and what is refused leaves the register as it was."""
    registry, modifier = pf.modifiers.registry, pf.modifiers.modifier
    monkeypatch.setattr("pyhf_func.modifiers.registration.registry", own := dict(registry))

    class Tilt:
        required_parset = dict

    assert modifier(Tilt) is Tilt
    assert own["Tilt"] is Tilt
    assert (Tilt.is_constrained, Tilt.pdf_type, Tilt.op_code) == (False, None, "addition")  # type: ignore[attr-defined]
    constrained = modifier(name="slope", constrained=True, pdf_type="poisson", op_code="multiplication")(
        type("Slope", (Tilt,), {})
    )
    assert own["slope"] is constrained
    assert (constrained.is_constrained, constrained.pdf_type, constrained.op_code) == (
        True,
        "poisson",
        "multiplication",
    )

    before = dict(own)
    with pytest.raises(KeyError, match="already"):
        modifier(Tilt)
    for options in ({"constrained": True, "pdf_type": "cauchy"}, {"op_code": "division"}):
        with pytest.raises(InvalidModifier, match=next(reversed(options.values()))):
            modifier(name="other", **options)(Tilt)
    with pytest.raises(InvalidModifier, match="required_parset"):
        modifier(type("Empty", (), {}))
    with pytest.raises(TypeError, match="string"):
        modifier(name=1)
    for wrong in (lambda: modifier(colour="red"), lambda: modifier("tilt"), lambda: modifier(Tilt, Tilt)):
        with pytest.raises(ValueError, match="@modifier"):
            wrong()
    assert own == before
