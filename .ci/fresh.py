"""Try the library as a stranger meets it: the wheel in new environments, each with nothing but what it declares.

Run: ``python .ci/fresh.py [ENVIRONMENT ...]``; without names all of `ENVIRONMENTS` are tried, two at a time.
Every block of Python and every command of the README runs as it is written, warnings are errors, outside the
checkout and inside it, where the source folders shadow what is installed.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^\$ ((?:pyhf-func|python -m pyhf_func).*)$", README, re.MULTILINE)
EXAMPLE = "examples/workspace.json"

DASK = """
import dask.distributed, pyhf_func as pf
if __name__ == "__main__":
    workspace = pf.Workspace.load("examples/workspace.json")
    yields = {"light": {("SR_boosted", "resonance"): [1.0] * 6}, "heavy": {("SR_boosted", "resonance"): [2.0] * 6}}
    with dask.distributed.Client(n_workers=1, threads_per_worker=1, dashboard_address=None) as client:
        found = pf.grid(workspace, yields, limits=False, executor=client.get_executor())
    assert found.status.tolist() == [0, 0], found
"""
MXNET = """
import pyhf_func as pf
pf.set_backend("mxnet")
assert float(pf.tensorlib.sum(pf.tensorlib.astensor([1.0, 2.0])).asnumpy()) == 3.0
"""
PROGRAM = "import pyhf, sys\nassert pyhf.__version__ == '0.7.6' and pyhf.Model, sys.argv\n"
IMPORTS = """
import importlib, pkgutil, pyhf_func
from pyhf_func.exceptions import ImportBackendError
for module in pkgutil.walk_packages(pyhf_func.__path__, "pyhf_func."):
    try:
        found = importlib.import_module(module.name)
        if module.name.startswith("pyhf_func.pyhf."):  # the documented API has two names, and is loaded once
            assert importlib.import_module(module.name.replace("pyhf.", "", 1)) is found, module.name
    except (ImportError, ImportBackendError) as error:  # of an extra: nothing else is missing
        known = getattr(error, "name", None) in ("torch", "tensorflow", "mxnet", "iminuit", "uproot", "matplotlib")
        assert known or "pip install" in str(error), (module.name, error)
"""

ENVIRONMENTS: dict[str, list[str]] = {
    "alone": [command for command in COMMANDS if "--plot" not in command],
    "tensorflow": [f"pyhf-func cls {EXAMPLE} --backend tensorflow"],
    "plot": [command for command in COMMANDS if "toys" in command or "--plot" in command],
    "minuit": [f"pyhf-func fit {EXAMPLE} --optimizer minuit"],
    "xmlio": [
        f"pyhf-func json2xml {EXAMPLE} --output-dir xml",
        "pyhf-func xml2json xml/FitConfig.xml --basedir . --hide-progress --output-file back.json",
    ],
    "dask": ["python with_dask.py"],
    "mxnet": ["python with_mxnet.py"],
    "torch": [],  # the README's blocks: last, when they have been compiled once
}
"""Extras, each alone, and the commands that need them."""


class Workplace:
    """A folder with the wheel, the environments that have it, and what they write."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.source = home / "source"  # so that nothing is built in the checkout
        ignored = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "output")
        shutil.copytree(ROOT, self.source, ignore=ignored)
        subprocess.run([sys.executable, "-m", "venv", home / "build"], check=True)
        self.pip("wheel", "--no-deps", "--wheel-dir", home, self.source)
        (self.wheel,) = home.glob("*.whl")
        self.base = self.create("alone", None)

    def pip(self, *arguments: object, python: Path | None = None) -> None:
        """Run pip, for the environment of an interpreter."""
        target = ["--python", python] if python else []
        pip = [interpreter(self.home / "build"), "-m", "pip", *target, *arguments[:1], "--quiet", *arguments[1:]]
        subprocess.run([str(one) for one in pip], check=True, cwd=self.home)

    def create(self, name: str, base: Path | None) -> Path:
        """The interpreter of a new environment that has the wheel, alone or with an extra beside what it needs."""
        start = time.monotonic()
        folder = self.home / name
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        python = interpreter(folder)
        if base:  # the wheel's own needs are the same, so they are linked; the wheel itself is installed again
            link(base.parents[1], folder)
        asked = f"pyhf-func[{name}] @ {self.wheel.as_uri()}" if base else self.wheel
        self.pip("install", asked, *declared(name), python=python)
        if name == "mxnet":
            self.pip("install", "--no-deps", "mxnet==1.9.1", python=python)
        say(name, start, "installed")
        return python

    def run(self, command: list[Any] | str, folder: Path, python: Path, **options: Any) -> None:
        """Run a command of an environment in a folder, and raise what it wrote if it fails or leaves a traceback."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JAX_", "PYHF_FUNC_"))
        }
        environment |= {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONWARNINGS": "error"}
        environment |= {"JAX_NUMPY_RANK_PROMOTION": "raise"}  # nothing may need that JAX adds dimensions by itself
        environment |= {"XDG_CACHE_HOME": str(self.home / "caches"), **options.pop("environment", {})}
        for name in options.pop("unset", ()):
            environment.pop(name, None)
        start = time.monotonic()
        texts = {"capture_output": True, "text": True, "stdin": subprocess.DEVNULL}
        shell = isinstance(command, str)
        done = subprocess.run(command, cwd=folder, env=environment, shell=shell, **texts, **options)
        shown = command if shell else f"{command[-1]}".strip().splitlines()[0]
        say(python.parents[1].name, start, str(shown))
        if done.returncode or "Traceback" in done.stderr or re.search(r"\bnan\b", done.stdout, re.IGNORECASE):
            told = f"{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
            raise RuntimeError(f"{command}\nin {folder} ended with {done.returncode}:\n{told}")

    def attempt(self, name: str) -> None:
        """Run in a new environment what the README says, and what the extra is for."""
        python = self.base if name == "alone" else self.create(name, self.base)
        outside = self.home / f"outside-{name}"
        shutil.copytree(self.source / "examples", outside / "examples")
        for file, text in {"my_program": PROGRAM, "with_dask": DASK, "with_mxnet": MXNET}.items():
            (outside / f"{file}.py").write_text(text, encoding="utf-8")
        (outside / "my_package").mkdir()
        (outside / "my_package" / "__main__.py").write_text(PROGRAM, encoding="utf-8")
        for command in ENVIRONMENTS[name]:
            self.run(command, outside, python)
        if name == "alone":
            self.run([python, "-c", IMPORTS], outside, python)
            self.blocks(outside, python)
            self.blocks(ROOT, python)
            self.run(f"python -m pyhf_func cls {EXAMPLE}", ROOT, python)
            self.machines(outside, python)
        elif name == "torch":
            self.blocks(outside, python, with_torch=True)
        elif name == "plot":
            (self.home / name / "stamp-plot").touch()  # installed already
            self.run(f"make demo VENV={self.home / name}", self.source, python)

    def blocks(self, folder: Path, python: Path, *, with_torch: bool = False) -> None:
        """Run the README's Python as one program; without what needs PyTorch, unless that is there."""
        program = "\n".join(block for block in BLOCKS if with_torch or "torch" not in block)
        compiled = {"JAX_COMPILATION_CACHE_DIR": str(self.home / "compiled")}  # it need not be compiled twice
        compiled["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"
        self.run([python, "-c", program], folder, python, environment=compiled)

    def machines(self, folder: Path, python: Path) -> None:
        """One command on machines that lack something: a home, a folder for caches, space on the disk."""
        a_file = folder / "a file"
        a_file.touch()
        full = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (999, 999))
        nothing: tuple[str, ...] = ("XDG_CACHE_HOME", "HOME")
        machines: list[tuple[Mapping[str, str], tuple[str, ...], Callable[[], object] | None]] = [
            ({}, nothing, None),
            ({"HOME": "/proc"}, nothing[:1], None),  # which nobody can write to
            ({"XDG_CACHE_HOME": str(a_file)}, (), None),
            ({"XDG_CACHE_HOME": str(folder / "open")}, (), partial(os.umask, 0)),
            ({"XDG_CACHE_HOME": str(folder / "full")}, (), full),
        ]
        for environment, unset, prepare in machines:
            self.run(
                f"pyhf-func fit {EXAMPLE}", folder, python, environment=environment, unset=unset, preexec_fn=prepare
            )


def interpreter(environment: Path) -> Path:
    return environment / "bin" / "python"


def say(name: str, start: float, what: str) -> None:
    print(f"{name:>10} {time.monotonic() - start:5.1f} s  {what}", flush=True)


def link(base: Path, target: Path) -> None:
    """Give an environment the packages of another one, without the wheel."""
    places = [sysconfig.get_path("purelib", "venv", {"base": str(folder)}) for folder in (base, target)]
    own = shutil.ignore_patterns("pyhf_func*", "__pycache__")
    shutil.copytree(*places, ignore=own, copy_function=os.link, dirs_exist_ok=True)


def declared(extra: str) -> list[str]:
    """What to install beside the wheel with an extra, so that it is what the tests use: no build for other hardware."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    return [one for one in groups["frameworks"] if re.match(rf"{extra}(-cpu)?\b[^-]", one)]


def main(names: list[str]) -> None:
    """Build the wheel and try environments."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fresh-") as folder:
        workplace = Workplace(Path(folder))
        with ThreadPoolExecutor(2) as pool:
            running = [pool.submit(workplace.attempt, name) for name in names or ENVIRONMENTS]
            try:
                for one in running:
                    one.result()
            except RuntimeError as error:
                pool.shutdown(cancel_futures=True)
                sys.exit(str(error))
    say("fresh", start, "environments in all")


if __name__ == "__main__":
    main(sys.argv[1:])
