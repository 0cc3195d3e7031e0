"""How Sphinx builds the site: ``make docs``.

Pages are Markdown; those with ``{code-cell}`` blocks are executed, each in a kernel of its own and in a new folder that
has the ``examples`` of the repository, and an error in any of them ends the build.
"""

import os
import re
import shutil
import sys
from pathlib import Path

from sphinx.application import Sphinx

from pyhf_func._version import __version__

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "build" / "docs-kernel"

project = "pyhf_func"
author = "pyhf_func developers"
copyright = author
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
html_theme = "furo"
html_title = f"pyhf_func {release}"
templates_path: list[str] = []
exclude_patterns = ["_*"]

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]

default_role = "py:obj"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # shapes and kinds are in the text
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True


def _prepare_kernels() -> None:
    """Give every page's kernel the examples in its folder, pictures below its cells, and no progress bars."""
    shutil.rmtree(HOME, ignore_errors=True)
    startup = HOME / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "page.py").write_text(
        "import shutil\n"
        f"shutil.copytree({str(ROOT / 'examples')!r}, 'examples', ignore=shutil.ignore_patterns('output'))\n"
        "get_ipython().run_line_magic('matplotlib', 'inline')\n"
        "get_ipython().run_line_magic('config', \"InlineBackend.print_figure_kwargs = {'bbox_inches': None}\")\n"
        "del shutil\n",
        encoding="utf-8",
    )
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # for the shell's commands
    os.environ |= {"IPYTHONDIR": str(HOME), "PYDEVD_DISABLE_FILE_VALIDATION": "1", "JAX_PLATFORMS": "cpu"}


_prepare_kernels()


def _field(app: object, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Show the shape at the start of a field's text as code; the text after it is a sentence, and names no type."""
    if what == "attribute" and lines:
        lines[0] = re.sub(r"^(\([^)]*\)) ", r"``\1`` ", lines[0])
        lines.insert(0, "\\ ")  # napoleon takes a first line with a colon for a type


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _field, priority=400)
