"""What a command needs is looked at before its first side effect: nothing is written, and nothing computed."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner

import pyhf_func as pf
from pyhf_func.cli import main
from pyhf_func.exceptions import PyhfFuncError
from tests.cli.studies import SPEC

STUDIES = ("limit", "discovery", "scan", "toys", "grid", "fit", "ranking")
MORE = {"toys": ["--ntoys", "2", "--seed", "1"], "grid": ["patchset.json"]}

NEEDS: dict[str, tuple[str, str, list[str]]] = {
    **{
        f"{study} --plot": (
            "matplotlib",
            "plot",
            [study, "workspace.json", *MORE.get(study, []), "--plot", "out.pdf", "--output-file", "out.json"],
        )
        for study in STUDIES
    },
    "json2xml": ("uproot", "xmlio", ["json2xml", "workspace.json", "--output-dir", "out"]),
    "xml2json": ("uproot", "xmlio", ["xml2json", "top.xml", "--hide-progress", "--output-file", "out.json"]),
    "fit --optimizer": ("iminuit", "minuit", ["fit", "workspace.json", "--optimizer", "minuit"]),
    "cls --optimizer": ("iminuit", "minuit", ["cls", "workspace.json", "--optimizer", "minuit"]),
    "cls --backend": ("torch", "torch", ["cls", "workspace.json", "--backend", "pytorch"]),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with inputs and nothing else."""
    monkeypatch.chdir(tmp_path)
    Path("workspace.json").write_text(json.dumps(SPEC))
    Path("patchset.json").write_text("{}")
    Path("top.xml").write_text("<Combination><Input>channel.xml</Input></Combination>")
    return tmp_path


@pytest.fixture(autouse=True)
def nothing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    def computed(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("computed, although it could not be written or needs a package")

    monkeypatch.setattr("pyhf_func.cli.study.Study.compute", computed)
    monkeypatch.setattr("pyhf_func.toys", computed)


class Missing:
    """A finder that has no package of this name."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, *_: Any) -> None:
        if name.split(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def forget(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the package, and what of ours was loaded with it, be imported anew."""
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("pyhf_func.optimize.opt_minuit", "pyhf_func.tensor.pytorch_backend", "pyhf_func.adapters.torch"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for room, name in ((pf.optimize.OptimizerRetriever, "minuit_optimizer"), (pf.tensor, "pytorch_backend")):
        if name in vars(room):
            monkeypatch.delattr(room, name)


@pytest.mark.parametrize("case", NEEDS)
def test_a_missing_package_is_named_before_anything_is_written(
    case: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, extra, arguments = NEEDS[case]
    before = sorted(folder.rglob("*"))
    forget(package, monkeypatch)
    monkeypatch.setattr(sys, "meta_path", [Missing(package), *sys.meta_path])
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1, result.output
    assert package in result.stderr
    assert f"pyhf-func[{extra}]" in result.stderr
    assert result.stderr.count("\n") == 1
    assert "(" not in result.stderr.split(package)[0]  # no tuple of message and cause
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("case", ["json2xml", "limit --plot", "fit --optimizer"])
def test_a_package_whose_own_import_fails_is_told_apart(
    case: str, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    package, _, arguments = NEEDS[case]
    elsewhere = tmp_path_factory.mktemp("packages")
    (elsewhere / package).mkdir()
    (elsewhere / package / "__init__.py").write_text("import its_own_dependency")
    forget(package, monkeypatch)
    monkeypatch.syspath_prepend(elsewhere)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1, result.output
    assert "installed but can't be imported: No module named 'its_own_dependency'" in result.stderr


@pytest.mark.parametrize("option", ["--output-file", "--plot"])
@pytest.mark.parametrize("study", STUDIES)
def test_a_folder_that_is_not_there_is_named_before_anything_is_computed(study: str, option: str, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    result = CliRunner().invoke(main, [study, "workspace.json", *MORE.get(study, []), option, "nowhere/out.pdf"])
    assert result.exit_code == 1, result.output
    assert "nowhere" in result.stderr
    assert "No such file or directory" in result.stderr
    assert sorted(folder.rglob("*")) == before


def test_functions_name_what_they_need(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = pf.Workspace(SPEC).model()
    data = [56.0, 58.0, 0.0, 0.0]
    calls: dict[str, tuple[str, Callable[[], Any]]] = {
        "fit": ("iminuit", lambda: pf.fit(data, model, minimiser="minuit")),
        "yields": ("iminuit", lambda: pf.yields(data, model, minimiser=pf.Minuit())),
        "set_backend": ("torch", lambda: pf.set_backend("pytorch")),
        "optimizer": ("iminuit", lambda: pf.optimize.minuit_optimizer()),
        "writexml": ("uproot", lambda: pf.writexml.writexml(SPEC, "config", "data", "meas")),
        "plot": ("matplotlib", lambda: pf.plot.cls(None)),
    }
    for package, call in calls.values():
        with monkeypatch.context() as patch:
            forget(package, patch)
            patch.setattr(sys, "meta_path", [Missing(package), *sys.meta_path])
            with pytest.raises((PyhfFuncError, ImportError), match=package):
                call()
    assert not list(folder.glob("*.dtd"))
