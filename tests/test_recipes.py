"""The recipes for contributors work: each is followed in a copy of the library, and its check runs."""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import pyhf_func

PAGE = Path(__file__).parents[1] / "docs" / "contributing.md"
BLOCK = re.compile(r"^```\{code-block\} python\n# ([^\n]*)\n\n(.*?)^```$", re.MULTILINE | re.DOTALL)
AFTER = re.compile(r'(.*), after "(.*)"')

PREFACE = '''
import io, sys
import click, jax, numpy as np
from click.testing import CliRunner
import pyhf_func as pf
from pyhf_func.cli import main

def document(background, *modifiers):
    """One bin: a signal of one event times mu, and a background with modifiers."""
    mu = {"name": "mu", "type": "normfactor", "data": None}
    samples = [{"name": "signal", "data": [1.0], "modifiers": [mu]}]
    samples.append({"name": "background", "data": background, "modifiers": list(modifiers)})
    return {
        "channels": [{"name": "SR", "samples": samples}],
        "observations": [{"name": "SR", "data": background}],
        "measurements": [{"name": "fit", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }

def pars(model, **values):
    return [values[name] for name in model.config.par_order]

def help_of(command):
    return " ".join(CliRunner().invoke(main, [command, "--help"]).output.split())
'''


@pytest.mark.slow
def test_recipes_work(tmp_path: Path) -> None:
    """All at once, so that one process is started."""
    package, adapters = Path(pyhf_func.__file__).parent, Path(pyhf_func.adapters.__path__[0])
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, tmp_path / "pyhf_func", ignore=ignored)
    if not adapters.is_relative_to(package):
        shutil.copytree(adapters, tmp_path / "adapters", ignore=ignored)
    checks = []
    for caption, code in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if caption == "check":
            checks.append(code)
            continue
        found = AFTER.fullmatch(caption)
        path = tmp_path / (found[1] if found else caption)
        if not path.parent.exists():  # the adapters of a wheel
            path = tmp_path / "pyhf_func" / path.relative_to(tmp_path)
        if not found:
            assert not path.exists()
            path.write_text(code, encoding="utf-8")
            continue
        lines = path.read_text(encoding="utf-8").split("\n")
        assert lines.count(found[2]) == 1, caption
        lines.insert(lines.index(found[2]) + 1, code.rstrip("\n"))
        path.write_text("\n".join(lines), encoding="utf-8")
    assert len(checks) == 8
    functions = [f"def check_{i}():\n{textwrap.indent(check, '    ')}" for i, check in enumerate(checks)]
    script = "\n".join([PREFACE, *functions, *(f"check_{i}()" for i in range(len(checks)))])
    (tmp_path / "check.py").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, tmp_path / "check.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "", "HOME": str(tmp_path), "PYHF_FUNC_CACHE": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
