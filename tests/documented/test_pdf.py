"""Models in every backend: kinds, shapes and numbers against pyhf, and gradients through the engine."""

import copy
import pickle
import time
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.exceptions import InvalidModel, InvalidPdfData, InvalidPdfParameters, Unsupported
from tests.documented.full_model import DATA, SPEC, assert_same, point
from tests.documented.models import flat

OTHER_CODES = {"normsys": {"interpcode": "code1"}, "histosys": {"interpcode": "code0"}}


def both(pyhf: ModuleType, **options: Any) -> tuple[Any, Any]:
    return pf.Model(SPEC, **options), pyhf.Model(SPEC, poi_name="mu", **options)


@pytest.mark.parametrize("options", [{"modifier_settings": OTHER_CODES}, {"clip_bin_data": 105.0}])
def test_options(pyhf_numpy: ModuleType, options: dict[str, Any]) -> None:
    ours, theirs = both(pyhf_numpy, **options)
    pars = point(theirs, 0.4)
    plain = pf.Model(SPEC)
    assert not np.allclose(ours.expected_data(pars), plain.expected_data(pars))
    assert_same(ours.expected_data(pars), theirs.expected_data(pars))
    data = DATA + theirs.config.auxdata
    assert_same(ours.logpdf(pars, data), theirs.logpdf(pars, data))


def test_samples_are_clipped_where_they_exist() -> None:
    """A channel without the sample gets none of it."""
    model = pf.Model(SPEC, clip_sample_data=9.0)
    pars = model.config.suggested_init()
    expected = [[120.0, 50.0, 60.0], [0.0, 9.0, 9.0]]
    np.testing.assert_allclose(model.main_model.expected_data(pars, return_by_sample=True), expected)
    np.testing.assert_allclose(model.expected_actualdata(pars), [120.0, 59.0, 69.0])


def test_numbers_shapes_and_kinds(backend: Any, pyhf_numpy: ModuleType) -> None:
    ours, theirs = both(pyhf_numpy)
    pars = point(theirs)
    aux = theirs.config.auxdata
    data = DATA + aux
    for given in (pars, np.array(pars), backend.astensor(pars)):
        logpdf = ours.logpdf(given, data)
        assert isinstance(logpdf, backend.array_type)
        assert_same(logpdf, theirs.logpdf(pars, data))
    assert_same(ours.pdf(pars, data), theirs.pdf(pars, data), 1e-10)
    assert_same(ours.expected_data(pars), theirs.expected_data(pars))
    assert_same(ours.expected_data(pars, include_auxdata=False), theirs.expected_data(pars, include_auxdata=False))
    assert_same(ours.expected_actualdata(pars), theirs.expected_actualdata(pars))
    assert_same(ours.expected_auxdata(pars), theirs.expected_auxdata(pars))
    tensor = np.array(pars)
    assert_same(ours.mainlogpdf(DATA, pars), theirs.mainlogpdf(np.array(DATA), tensor))
    assert_same(ours.constraint_logpdf(aux, pars), theirs.constraint_logpdf(np.array(aux), tensor))
    assert_same(ours.nominal_rates, theirs.nominal_rates)
    by_sample = ours.main_model.expected_data(pars, return_by_sample=True)
    assert_same(by_sample, theirs.main_model.expected_data(tensor, return_by_sample=True))


@pytest.mark.parametrize("name", ["numpy", "tensorflow"])
def test_batches(name: str, pyhf_numpy: ModuleType) -> None:
    pf.set_backend(name)
    backend = pf.tensorlib
    ours, theirs = both(pyhf_numpy, batch_size=3)
    pars = [point(theirs, shift) for shift in (0.01, 0.05, -0.03)]
    data = DATA + theirs.config.auxdata
    array = np.array(pars)
    assert ours.batch_size == 3
    assert_same(ours.logpdf(pars, data), theirs.logpdf(array, data))
    several = [data, [x + 1 for x in data], [x + 2 for x in data]]
    assert_same(ours.logpdf(pars, several), theirs.logpdf(array, several))
    assert_same(ours.expected_data(pars), theirs.expected_data(array))
    assert_same(ours.expected_auxdata(pars), theirs.expected_auxdata(array))
    assert_same(ours.constraint_logpdf(data[3:], pars), theirs.constraint_logpdf(np.array(data[3:]), array))
    assert_same(ours.nominal_rates, theirs.nominal_rates)
    by_sample = ours.main_model.expected_data(pars, return_by_sample=True)
    assert_same(by_sample, theirs.main_model.expected_data(array, return_by_sample=True))
    log_prob = ours.make_pdf(backend.astensor(pars)).log_prob(backend.astensor(data))
    assert_same(log_prob, theirs.logpdf(array, data))
    with pytest.raises(InvalidPdfParameters, match="3"):
        ours.logpdf(pars[0], data)


@pytest.mark.slow
def test_distributions(backend: Any, pyhf_numpy: ModuleType) -> None:
    ours, theirs = both(pyhf_numpy)
    pars, data = point(theirs), DATA + theirs.config.auxdata
    made, expected = ours.make_pdf(pars), theirs.make_pdf(np.array(pars))
    assert_same(made.log_prob(backend.astensor(data)), expected.log_prob(np.array(data)))
    assert_same(made.expected_data(), expected.expected_data())
    for part, their_part, values in zip(made, expected, (data[:3], data[3:]), strict=True):
        assert_same(part.log_prob(backend.astensor(values)), their_part.log_prob(np.array(values)))
    sample = made.sample((4, 5))
    assert isinstance(sample, backend.array_type)
    assert tuple(sample.shape) == (4, 5, len(data))
    assert ours.main_model.has_pdf()
    assert ours.constraint_model.has_pdf()


def test_samples_follow_the_model() -> None:
    model = pf.Model(SPEC)
    pars = np.array(model.config.suggested_init())
    toys = model.make_pdf(pars).sample((4000,))
    expected = model.expected_data(pars)
    widths = np.sqrt(np.concatenate([expected[:3], [1.0, 0.02**2, 1.0, expected[6], expected[7], 0.05**2]]))
    pulls = (toys.mean(axis=0) - expected) / widths * np.sqrt(4000)
    assert np.abs(pulls).max() < 5
    np.testing.assert_allclose(toys.std(axis=0), widths, rtol=0.1)


@pytest.mark.parametrize("precision", ["32b", "64b"])
def test_precision(precision: str) -> None:
    for name in ("numpy", "jax", "pytorch", "tensorflow", "mxnet"):
        with pf.set_backend(name, precision=precision):
            model = pf.Model(SPEC)
            assert precision[:2] in str(model.logpdf(model.config.suggested_init(), DATA + model.config.auxdata).dtype)


@pytest.mark.slow
def test_jax_in_jax_out_under_any_setting() -> None:
    model = pf.Model(SPEC)
    pars, data = jnp.array(model.config.suggested_init()), DATA + model.config.auxdata
    for name in ("numpy", "pytorch"):
        with pf.set_backend(name):
            value = model.logpdf(pars, data)
            assert isinstance(value, jax.Array)
            assert value.shape == jax.jit(model.logpdf)(np.asarray(pars), data).shape == ()
            assert isinstance(model.make_pdf(pars).log_prob(jnp.array(data)), jax.Array)
    with pf.set_backend("jax"):
        assert model.logpdf(pars, data).shape == jax.jit(model.logpdf)(pars, data).shape == (1,)
    np.testing.assert_allclose(model.logpdf(pars, data), model.logpdf(np.asarray(pars), data)[0], rtol=1e-14)


@pytest.mark.slow
def test_gradients_in_frameworks() -> None:
    model = pf.Model(SPEC)
    pars, data = np.array(model.config.suggested_init()) + 0.05, DATA + model.config.auxdata
    expected = np.asarray(jax.grad(model.logpdf)(jnp.array(pars), data))
    with pf.set_backend("pytorch"):
        given = pf.tensorlib.astensor(pars).requires_grad_()
        model.logpdf(given, data).backward()
        np.testing.assert_allclose(given.grad, expected, rtol=1e-10)
    with pf.set_backend("tensorflow"):
        import tensorflow as tf

        given = tf.Variable(pars)
        with tf.GradientTape() as tape:
            value = model.logpdf(given, data)
        np.testing.assert_allclose(tape.gradient(value, given), expected, rtol=1e-10)
    with pf.set_backend("mxnet"):
        import mxnet as mx

        given = pf.tensorlib.astensor(pars)
        given.attach_grad()
        with mx.autograd.record():
            value = model.logpdf(given, data)
        value.backward()
        np.testing.assert_allclose(given.grad.asnumpy(), expected, rtol=1e-10)


@pytest.mark.slow
def test_tensors_as_yields() -> None:
    torch = pytest.importorskip("torch")
    model = pf.Model(SPEC)
    pars, data = model.config.suggested_init(), DATA + model.config.auxdata
    yields = torch.tensor([6.0, 9.0], dtype=torch.float64, requires_grad=True)
    changed = model.with_yields("SR", "signal", yields)
    changed.logpdf(pars, data).backward()
    expected = jax.grad(lambda y: model.with_yields("SR", "signal", y).logpdf(jnp.array(pars), data))
    np.testing.assert_allclose(yields.grad, expected(jnp.array([6.0, 9.0])), rtol=1e-10)
    assert isinstance(changed.make_pdf(pars).expected_data(), torch.Tensor)


def test_specs_of_tensors(backend: Any) -> None:
    spec = copy.deepcopy(SPEC)
    background = spec["channels"][0]["samples"][1]
    background["data"] = backend.astensor(background["data"])
    background["modifiers"][0]["data"] = np.array(background["modifiers"][0]["data"])
    ours, plain = pf.Model(spec), pf.Model(SPEC)
    pars = plain.config.suggested_init()
    np.testing.assert_allclose(flat(list(ours.config.auxdata)), plain.config.auxdata)
    assert_same(ours.expected_data(pars), flat(plain.expected_data(pars)))


def test_wrong_shapes() -> None:
    model = pf.Model(SPEC)
    pars, data = model.config.suggested_init(), DATA + model.config.auxdata
    for wrong in (pars[:-1], [pars], 1.0):
        for call in (lambda p: model.logpdf(p, data), model.expected_data, model.make_pdf):
            with pytest.raises(InvalidPdfParameters, match="par_names"):
                call(wrong)
    for call in (model.logpdf, lambda p, d: model.mainlogpdf(d, p), lambda p, d: model.constraint_logpdf(d, p)):
        with pytest.raises(InvalidPdfData):
            call(pars, data[:2])


def test_config(pyhf_numpy: ModuleType) -> None:
    ours, theirs = (model.config for model in both(pyhf_numpy))
    for name in ("channels", "samples", "modifiers", "par_order", "par_names", "parameters", "npars", "poi_index"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.modifier_settings == theirs.modifier_settings
    assert ours.suggested_bounds() == theirs.suggested_bounds()
    for name, entry in theirs.par_map.items():
        our_set, their_set = ours.par_map[name]["paramset"], entry["paramset"]
        assert ours.par_map[name]["slice"] == entry["slice"]
        assert type(our_set).__name__ == type(their_set).__name__
        for attribute in ("name", "n_parameters", "is_scalar", "constrained", "suggested_init"):
            assert getattr(our_set, attribute) == getattr(their_set, attribute)
        for attribute in ("auxdata", "sigmas", "factors", "suggested_bounds"):
            np.testing.assert_allclose(getattr(our_set, attribute, 0), getattr(their_set, attribute, 0))
        assert our_set.suggested_fixed == their_set.suggested_fixed
        assert hasattr(our_set, "sigmas") == hasattr(their_set, "sigmas")


def test_what_a_parameter_suggests_can_be_changed() -> None:
    config = pf.Model(SPEC).config
    config.param_set("rate").suggested_fixed = True
    config.param_set("mu").suggested_init = [0.5]
    assert config.suggested_fixed()[config.par_slice("rate")] == [True]
    assert config.suggested_init()[config.poi_index] == 0.5


def test_set_poi() -> None:
    model, other = pf.Model(SPEC), pf.Model(SPEC)
    tree = jax.tree.structure(model)
    model.config.set_poi("rate")
    assert (model.config.poi_name, model.config.poi_index) == ("rate", model.config.par_order.index("rate"))
    assert int(model.likelihood.space.poi) == model.config.poi_index
    assert model.config == pf.Model(SPEC, poi_name="rate").config != other.config
    assert jax.tree.structure(other) == tree != jax.tree.structure(model)
    named = pf.Model(SPEC, poi_name="rate")
    jax.tree.map(np.testing.assert_array_equal, model, named)
    again = jax.jit(lambda m: m)(model)
    assert again.config.poi_name == "rate"
    model.config.set_poi(None)
    assert (model.config.poi_name, model.config.poi_index, int(model.likelihood.space.poi)) == (None, None, -1)
    for wrong in ("nothing", "bin"):
        with pytest.raises(InvalidModel, match=wrong):
            model.config.set_poi(wrong)


def test_what_a_model_remembers() -> None:
    model = pf.Model(SPEC)
    assert model.spec == SPEC
    assert model.spec is not SPEC
    assert (model.schema, model.version, model.batch_size) == ("model.json", None, None)
    with pytest.raises(AttributeError, match="spec"):
        _ = model.with_yields("SR", "signal", [1.0, 1.0]).spec
    with pytest.raises(Unsupported, match="colour"):
        pf.Model(SPEC, colour="red")
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        again.config.set_poi("rate")
        assert (model.config.poi_name, again.config.poi_name) == ("mu", "rate")
    config = pf.pdf._ModelConfig(SPEC)
    assert config.channel_nbins == {"CR": 1, "SR": 2}


def test_models_of_one_structure_share_a_program() -> None:
    from pyhf_func.pdf import compute

    model = pf.Model(SPEC)
    pars, data = model.config.suggested_init(), DATA + model.config.auxdata
    model.logpdf(pars, data)
    traced = compute.logpdf._cache_size()
    for yields in ([1.0, 2.0], [3.0, 4.0]):
        model.with_yields("SR", "signal", yields).logpdf(np.array(pars), data)
    assert compute.logpdf._cache_size() == traced


def test_little_overhead() -> None:
    model = pf.Model(SPEC)
    pars, data = np.array(model.config.suggested_init()), np.array(DATA + model.config.auxdata)

    def best(function: Any) -> float:
        function()
        times = []
        for _ in range(200):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
        return min(times)

    from pyhf_func.pdf import compute

    alone = best(lambda: compute.logpdf(model.likelihood, pars, data).block_until_ready())
    assert best(lambda: model.logpdf(pars, data)) < alone + 100e-6


def built_from(yields: Any, background: Any, uncertainties: Any, variation: Any, stat: Any, lo: Any) -> Any:
    """The full model with other numbers in its spec."""
    spec = copy.deepcopy(SPEC)
    signal, bkg = spec["channels"][0]["samples"]
    signal["data"], bkg["data"] = yields, background
    bkg["modifiers"][0]["data"] = uncertainties
    bkg["modifiers"][1]["data"]["hi_data"] = variation
    bkg["modifiers"][2]["data"]["lo"] = lo
    spec["channels"][1]["samples"][0]["modifiers"][1]["data"] = stat
    return pf.Model(spec)


@pytest.mark.slow
def test_models_built_while_traced() -> None:
    """As networks are trained on pyhf: a spec of traced numbers, in one compiled and differentiated function."""
    numbers = [[5.0, 8.0], [50.0, 60.0], [7.0, 3.0], [56.0, 53.0], [6.0], 0.92]
    arrays = [jnp.array(x) for x in numbers]
    pars = [0.1, 1.01, 1.1, 0.2, 1.3, 0.9, 1.02, 1.1]

    def logpdf(*arguments: Any) -> Any:
        model = built_from(*arguments)
        data = jnp.concatenate([jnp.array(DATA), jnp.array(model.config.auxdata)])
        return model.logpdf(jnp.array(pars), data)

    plain = built_from(*numbers)
    value, slopes = jax.jit(jax.value_and_grad(logpdf, argnums=tuple(range(6))))(*arrays)
    np.testing.assert_allclose(value, plain.logpdf(pars, DATA + plain.config.auxdata)[0], rtol=1e-12)
    for k, slope in enumerate(slopes):
        first = (0,) * slope.ndim
        up, down = ([x.at[first].add(step) if i == k else x for i, x in enumerate(arrays)] for step in (1e-5, -1e-5))
        np.testing.assert_allclose(slope[first], (logpdf(*up) - logpdf(*down)) / 2e-5, rtol=1e-6)

    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in numbers]
    model = built_from(*tensors)
    aux = torch.stack([torch.as_tensor(x, dtype=torch.float64) for x in model.config.auxdata])
    data = torch.cat([torch.tensor(DATA, dtype=torch.float64), aux])
    model.logpdf(pars, data).backward()
    for tensor, slope in zip(tensors, slopes, strict=True):
        np.testing.assert_allclose(tensor.grad, slope, rtol=1e-9)
    with pytest.raises(AttributeError, match="traced"):
        _ = jax.tree.map(lambda leaf: leaf, model).config.auxdata
