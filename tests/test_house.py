"""The house is kept in order: functions are short, imports run one way, docstrings read whole."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pyhf_func

LONGEST = 60
MOST_INSIDE = 40
"""Imports inside functions, in all."""
BY_NAME = {
    "__init__.py",
    "_wings.py",
    "adapters/registry.py",
    "cli/main.py",
    "pyhf/optimize/__init__.py",
    "pyhf/optimize/common.py",
    "pyhf/pdf/__init__.py",
    "pyhf/tensor/__init__.py",
    "pyhf/tensor/manager.py",
    "results/extras.py",
    "utils.py",
}
"""Files that load modules by computed names: of a registry, of lazy names, or of an optional package."""
LAZY = {"documents/building/pruning.py": "pyhf_func.verbs"}
"""Imports inside functions of what loads JAX, in files that do without it. The shell's are its own."""

PACKAGE = Path(pyhf_func.__file__).parent
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def files() -> dict[str, ast.Module]:
    """Every file of the package, adapters too, by its path; without a suffix for names."""
    folders = {"": PACKAGE, "adapters/": Path(pyhf_func.adapters.__path__[0])}
    return {
        prefix + path.relative_to(folder).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for prefix, folder in folders.items()
        for path in folder.rglob("*.py")
    }


def source(path: str) -> str:
    folder = Path(pyhf_func.adapters.__path__[0]) if path.startswith("adapters/") else PACKAGE
    return (folder / path.removeprefix("adapters/")).read_text(encoding="utf-8")


def lines(function: Function) -> int:
    """Of a function's body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_functions_are_short() -> None:
    long = {
        f"{path}: {node.name}"
        for path, tree in files().items()
        for node in ast.walk(tree)
        if isinstance(node, Function) and lines(node) > LONGEST
    }
    assert long == set()


def imports(node: ast.AST, *, inside: bool = False) -> Iterator[tuple[str, bool]]:
    """The modules that a file imports, but for type checkers, and whether that is inside a function."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from ((alias.name, inside) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from ((f"{node.module}.{alias.name}", inside) for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from imports(child, inside=inside or isinstance(node, Function))


def name_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def arrows() -> dict[str, set[str]]:
    """Which files each file imports, at its top or inside functions."""
    names = {name_of(path) for path in files()}
    found: dict[str, set[str]] = {}
    for path, tree in files().items():
        wanted = [module.removeprefix("pyhf_func.") for module, _ in imports(tree) if module.startswith("pyhf_func.")]
        homes = {module if module in names else module.rpartition(".")[0] for module in wanted}
        found[name_of(path)] = homes & names - {"", name_of(path)}
    return found


def test_no_files_import_each_other() -> None:
    """Neither at their top nor inside functions, directly or over others."""
    found = arrows()
    reached = {name: set(homes) for name, homes in found.items()}
    for middle in found:
        for name in found:
            if middle in reached[name]:
                reached[name] |= reached[middle]
    assert {name for name in found if name in reached[name]} == set()


def test_imports_inside_functions_are_of_optional_packages() -> None:
    own = {
        (path, module.rpartition(".")[0])
        for path, tree in files().items()
        for module, inside in imports(tree)
        if inside and module.startswith("pyhf_func.") and not path.startswith("cli/")
    }
    assert own == set(LAZY.items())


def test_few_imports_are_inside_functions() -> None:
    """Those that are load an optional package, or what the shell needs of a heavy one; nothing hides others."""
    inside = [
        (path, node.lineno)
        for path, tree in files().items()
        for function in ast.walk(tree)
        if isinstance(function, Function)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert len({*inside}) <= MOST_INSIDE, sorted({*inside})
    words = re.compile(r"\b(import_module|__import__)\(")
    by_name = {path for path in files() if words.search(source(path))}
    assert by_name == BY_NAME


def test_type_checkers_know_all_public_names() -> None:
    """And in the modules in which they lie; verbs are declared by their files alone."""
    tree = files()["__init__.py"]
    [block] = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    known = {a.asname: f"{n.module}" for n in block.body if isinstance(n, ast.ImportFrom) for a in n.names}
    known |= {n.target.id: "" for n in block.body if isinstance(n, ast.AnnAssign)}
    homes = {name: f"pyhf_func.{home}" for name, home in pyhf_func._HOMES.items()}
    assert {name: known.get(name) for name in homes} == homes
    assert set(known) == set(pyhf_func.__all__) - {"__version__", "pyhf"}


def test_help_reads_whole() -> None:
    """No argument, value or exception of a public function is only explained elsewhere."""
    rooms = (
        pyhf_func,
        pyhf_func.infer,
        pyhf_func.modifiers,
        *(getattr(pyhf_func.infer, n) for n in pyhf_func.infer.__all__),
    )
    reference = re.compile(r"^ +(\w+: )?As (for )?`\w+`", re.MULTILINE)
    functions = [getattr(room, name) for room in rooms for name in dir(room) if not name.startswith("_")]
    assert not [one.__name__ for one in functions if inspect.isfunction(one) and reference.search(one.__doc__ or "")]


def test_words_are_idiomatic() -> None:
    script = Path(__file__).parents[1] / ".ci" / "words.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
