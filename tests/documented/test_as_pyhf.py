"""Programs written for pyhf find this library under pyhf's name, in every process that they start."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

PROGRAM = """
import importlib, importlib.metadata, logging, sys
import pyhf, pyhf.infer.mle
from pyhf._version import version
from pyhf.contrib.viz import brazil

def seen(_=None):
    import pyhf
    return pyhf.__name__, pyhf.__version__, pyhf.Model.__module__

if __name__ == "__main__":
    import multiprocessing, subprocess
    import pyhf_func

    assert pyhf.__version__ == version == importlib.metadata.version("pyhf") == "0.7.6"
    assert pyhf_func.__version__ != "0.7.6"
    for name in ("infer", "infer.mle", "pdf", "contrib.viz.brazil", "exceptions", "tensor"):
        module = importlib.import_module("pyhf." + name)
        assert module is sys.modules["pyhf_func." + name], name
        assert module.__spec__.name == "pyhf_func." + name, name
    assert pyhf.Model is pyhf_func.Model and dir(pyhf) == pyhf.__all__
    assert importlib.util.find_spec("pyhf") is not None and importlib.util.find_spec("pyhf.nothing") is None
    pyhf.exceptions.mine = 1
    assert pyhf_func.exceptions.mine == 1
    logging.getLogger("pyhf").setLevel(logging.CRITICAL)
    assert not pyhf.workspace.log.isEnabledFor(logging.ERROR)
    for method in ("spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            assert pool.map(seen, [1]) == [seen()], method
    code = "import pyhf, pyhf_func.infer; assert pyhf.infer is pyhf_func.infer"
    assert INHERITED == (subprocess.run([sys.executable, "-c", code]).returncode == 0)
    print("passed", *sys.argv[1:])
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_program_that_cannot_be_changed_runs_around(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text("INHERITED = True\n" + PROGRAM)
    found = run("-m", "pyhf_func.as_pyhf", str(script), "one", "--two")
    assert found.returncode == 0, found.stderr
    assert found.stdout.endswith("passed one --two\n")


@pytest.mark.slow
def test_a_program_that_calls_as_pyhf_needs_nothing_else(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    path = f"import sys; sys.path.append({str(ROOT)!r})\n"
    script.write_text(f"{path}import pyhf_func\npyhf_func.as_pyhf()\npyhf_func.as_pyhf()\nimport pyhf\n" + PLAIN)
    found = run(str(script))
    assert found.returncode == 0, found.stderr
    assert found.stdout == "pyhf 0.7.6\n"


PLAIN = """
import multiprocessing

def seen(_=None):
    return pyhf.__name__ + " " + pyhf.__version__

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(*pool.map(seen, [1]))
"""


def test_a_module_runs_by_its_name() -> None:
    found = run("-m", "pyhf_func.as_pyhf", "-m", "pyhf", "--help")
    assert found.returncode == 0, found.stderr
    assert "json2xml" in found.stdout


@pytest.mark.parametrize(("arguments", "code"), [((), 2), (("--help",), 0), (("-m",), 2), (("-x",), 2)])
def test_wrong_usage_is_explained(arguments: tuple[str, ...], code: int) -> None:
    found = run("-m", "pyhf_func.as_pyhf", *arguments)
    assert found.returncode == code
    assert "usage: python -m pyhf_func.as_pyhf SCRIPT" in (found.stdout if code == 0 else found.stderr)


@pytest.mark.slow
def test_pyhf_itself_is_not_replaced_halfway() -> None:
    pytest.importorskip("pyhf", minversion="0.7.6")
    found = run("-c", "import pyhf, pyhf_func; pyhf_func.as_pyhf()")
    assert found.returncode == 1
    assert "RuntimeError: pyhf 0.7.6 was imported already" in found.stderr
    assert "python -m pyhf_func.as_pyhf SCRIPT" in found.stderr
