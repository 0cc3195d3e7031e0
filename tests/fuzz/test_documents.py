"""Damaged documents are refused by one of the library's own exceptions, or work."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyhf_func as pf
from pyhf_func import exceptions
from tests.fuzz.damage import places

SIMPLE = Path(__file__).parents[1] / "workspaces" / "everything.json"
STRANGE = (
    None,
    True,
    -1,
    0,
    1e308,
    float("inf"),
    float("nan"),
    10**400,
    "",
    "mu",
    [],
    [[]],
    {},
    {"name": "mu"},
    [1e-320],
)
CLASSES = (x for x in vars(exceptions).values() if isinstance(x, type) and issubclass(x, Exception))
OURS = tuple(x for x in CLASSES if x.__module__ == exceptions.__name__)


def damaged(document: Any, rng: random.Random) -> Any:
    """The document with one to three parts dropped, doubled or replaced."""
    document = copy.deepcopy(document)
    for _ in range(rng.randint(1, 3)):
        *path, last = rng.choice(list(places(document)))
        node = document
        for key in path:
            node = node[key]
        match rng.randint(0, 2):
            case 0:
                del node[last]
            case 1 if isinstance(node, list):
                node.append(copy.deepcopy(node[last]))
            case _:
                node[last] = rng.choice(STRANGE)
    return document


def test_damaged_workspaces_are_refused_by_name(trials: Iterator[random.Random]) -> None:
    document = json.loads(SIMPLE.read_text())
    for rng in trials:
        message = ""
        try:
            workspace = pf.Workspace(damaged(document, rng))
            workspace.data(workspace.model())
        except OURS as error:
            message = str(error)
        assert len(message) < 20_000
