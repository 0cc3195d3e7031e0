"""Single precision, chosen by the environment: everything runs, to about three digits."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import pyhf_func as pf
from tests.core import toy

PROGRAM = """
import json, sys
import jax, pyhf_func as pf
spec = json.load(sys.stdin)
workspace = pf.Workspace(spec)
model = workspace.model()
data = workspace.data(model)
assert not jax.config.jax_enable_x64
test = pf.hypotest(1.3, data, model)
limit = pf.upper_limit(data, model)
assert {str(leaf.dtype) for leaf in jax.tree.leaves((test, limit, model))} <= {"float32", "int32", "bool"}
json.dump({
    "logpdf": float(model.logpdf(jax.numpy.array(model.config.suggested_init()), data)),
    "pars": test.free_fit.pars.tolist(),
    "twice_nll": float(test.free_fit.twice_nll),
    "status": int(test.status),
    "cls": float(test.cls),
    "cls_expected": test.cls_expected.tolist(),
    "limits": [float(limit.observed), *limit.expected.tolist()],
    "cls_at_limits": [float(limit.cls), *limit.cls_expected.tolist()],
    "limit_status": [int(limit.observed_status), *limit.expected_status.tolist()],
}, sys.stdout)
"""


@pytest.mark.slow
def test_single_precision() -> None:
    environment = {**os.environ, "JAX_ENABLE_X64": "0"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(toy.spec()),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    single = json.loads(done.stdout)
    model, data = toy.toy()
    double = pf.hypotest(1.3, data, model)
    assert single["status"] == 0
    expected = np.asarray(model.logpdf(model.config.suggested_init(), data)).item()
    assert single["logpdf"] == pytest.approx(expected, rel=1e-5)
    assert single["twice_nll"] == pytest.approx(float(double.free_fit.twice_nll), rel=1e-5)
    np.testing.assert_allclose(single["pars"], double.free_fit.pars, atol=1e-3)
    assert single["cls"] == pytest.approx(float(double.cls), abs=1e-3)
    np.testing.assert_allclose(single["cls_expected"], double.cls_expected, atol=1e-3)
    limit = pf.upper_limit(data, model)
    assert single["limit_status"] == [0] * 6
    np.testing.assert_allclose(single["limits"], [limit.observed, *limit.expected], rtol=5e-3)
    np.testing.assert_allclose(single["cls_at_limits"], 0.05, rtol=2e-2)
