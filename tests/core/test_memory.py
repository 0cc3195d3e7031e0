"""What does not fit into memory is refused by name before it is computed, with what it needs and what limits it."""

import subprocess
import sys
import time
from pathlib import Path

import jax
import pytest

import pyhf_func as pf
from pyhf_func.core import memory
from pyhf_func.exceptions import NotEnoughMemory
from tests import zoo
from tests.cli.studies import SPEC, refused, run, written

LIMITED = pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space are Linux's")


@pytest.fixture(scope="module")
def wide() -> pf.Model:
    """Four thousand bins, and a thousand parameters that four of them share."""
    rates = [zoo.normsys(f"rate{i}", 0.9, 1.1) for i in range(1000)]
    channels = [zoo.channel(f"c{i:04}", zoo.sample("all", [50.0], rates[i % 1000])) for i in range(4000)]
    for channel in channels[:2]:
        channel["samples"].append(zoo.sample("signal", [5.0], zoo.normfactor()))
    return pf.Model({"channels": channels, "parameters": []}, poi_name="mu")


def test_matrices_are_counted(wide: pf.Model) -> None:
    bins, pars, factors = 4000, 1001, 4002
    assert memory.needed(wide.likelihood) == 8 * (5 * bins * pars + 2 * pars**2 + 6 * factors)
    for verb in ("covariance", "impacts", "intervals", "yields"):
        assert memory.needed(wide.likelihood, verb) == memory.needed(wide.likelihood) + 8 * 2 * pars**2
    assert memory.needed(wide.likelihood, "covariance", ["mu"]) == memory.needed(wide.likelihood)
    assert memory.needed(wide.likelihood, "intervals", ["mu"]) == memory.needed(wide.likelihood, "intervals")


def test_private_parameters_take_no_matrix() -> None:
    n = 1000
    model = pf.simplemodels.uncorrelated_background([1.0] * n, [50.0] * n, [5.0] * n)
    assert memory.needed(model.likelihood) < 8 * 100 * n


@pytest.mark.parametrize("verb", ["fit", "hypotest", "upper_limit", "covariance", "toys"])
def test_all_verbs_refuse_what_does_not_fit(verb: str, wide: pf.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_limits_of_machine", lambda: {"this machine's memory": 123_000_000})
    data = [50.0] * 4000 + list(wide.config.auxdata)
    arguments = {
        "fit": (data, wide),
        "hypotest": (1.0, data, wide),
        "upper_limit": (data, wide),
        "covariance": (data, wide),
        "toys": (1.0, data, wide, jax.random.key(0), 10),
    }[verb]
    began = time.monotonic()
    words = "1001 parameters and 4000 bins needs .* or more: .* 123 MB are left of this machine's memory"
    with pytest.raises(NotEnoughMemory, match=words):
        getattr(pf, verb)(*arguments)
    assert time.monotonic() - began < 5
    with pytest.raises(MemoryError), pf.set_backend("numpy"):
        pf.infer.mle.fit(data, wide)


def test_small_models_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_limits_of_machine", pytest.fail)
    model = pf.simplemodels.uncorrelated_background([1.0], [50.0], [5.0])
    memory.check(model.likelihood, "covariance")


def test_exhaustion_inside_a_computation_is_named() -> None:
    model = pf.simplemodels.uncorrelated_background([1.0], [50.0], [5.0])
    for error in (MemoryError(), jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes.")):
        with pytest.raises(NotEnoughMemory, match="2 parameters and 1 bins"), memory.enough(model.likelihood):
            raise error
    with pytest.raises(ZeroDivisionError), memory.enough(model.likelihood):
        raise ZeroDivisionError


def test_control_groups_of_both_versions(tmp_path: Path) -> None:
    """A job's group has no limit of its own, and is inside one that has."""
    proc, root = tmp_path / "cgroup", tmp_path / "groups"
    (root / "job" / "step").mkdir(parents=True)
    proc.write_text("0::/job/step\n")
    for folder, limit in (("job/step", "max"), ("job", "1000")):
        (root / folder / "memory.max").write_text(f"{limit}\n")
        (root / folder / "memory.current").write_text("700\n")
        (root / folder / "memory.stat").write_text("anon 1\ninactive_file 50\n")
    assert list(memory._limits_of_group(str(proc), str(root)).values()) == [350]
    (root / "memory" / "job").mkdir(parents=True)
    proc.write_text("4:cpu:/job\n3:memory:/job\n")
    for name, content in (("limit_in_bytes", "900"), ("usage_in_bytes", "800")):
        (root / "memory" / "job" / f"memory.{name}").write_text(content)
    (root / "memory" / "job" / "memory.stat").write_text("total_inactive_file 5\n")
    assert list(memory._limits_of_group(str(proc), str(root)).values()) == [105]
    assert memory._limits_of_group(str(tmp_path / "none"), str(root)) == {}


_SMALL = """
import resource, pathlib
import pyhf_func as pf
n = 1500
model = pf.simplemodels.uncorrelated_background([1.0] * n, [50.0] * n, [5.0] * n)
pages = int(pathlib.Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + {room}
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    pf.fit([50.0] * n + list(model.config.auxdata), model)
except pf.exceptions.NotEnoughMemory as error:
    print(error)
"""


@pytest.mark.slow
@LIMITED
@pytest.mark.parametrize("room", [10_000_000, 150_000_000, 300_000_000])
def test_a_small_address_space_is_no_crash(room: int) -> None:
    done = subprocess.run([sys.executable, "-c", _SMALL.format(room=room)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "1501 parameters and 1500 bins needs" in done.stdout
    assert "left of this process's address space (ulimit -v)" in done.stdout


@LIMITED
@pytest.mark.parametrize("kilobytes", [400_000, 900_000, 1_500_000])
def test_commands_refuse_a_small_address_space(kilobytes: int, tmp_path: Path) -> None:
    file = written(tmp_path / "w.json", SPEC)
    line = f"ulimit -v {kilobytes}; exec {sys.executable} -m pyhf_func fit {file}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: To load JAX and compile needs about")
    assert "Traceback" not in done.stderr


def test_commands_refuse_models_that_do_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_SMALL", 0)
    monkeypatch.setattr(memory, "_limits_of_machine", lambda: {"this machine's memory": 10})
    file = written(tmp_path / "w.json", SPEC)
    for command in ("cls", "fit", "limit", "discovery", "ranking", "toys"):
        assert "3 parameters and 2 bins needs" in refused(run(command, file))
