"""Documents of other formats, damaged at random: they are read, or refused by the library's own exceptions."""

from __future__ import annotations

import contextlib
import copy
import random
import warnings
from typing import Any

import pytest

import pyhf_func as pf
from pyhf_func.documents.formats import datacards, hs3
from pyhf_func.exceptions import PyhfFuncError
from tests.documents.documents import workspace_spec
from tests.documents.test_datacards import CLOSED, counting
from tests.documents.test_model_language import COMPUTED, EXACT
from tests.fuzz.damage import places

VALUES = [None, True, 5, -1.5, 1e308, float("nan"), "", "x", [], {}, [1], ["a"], [[1]], [None], {"a": 1}]
WORDS = ["", "-", "0", "nan", "1e400", "[", "x", "\n", "/", "*", "1/", "inf", "#"]


def damaged(document: Any, chance: random.Random) -> Any:
    """A copy with one or two places changed or gone."""
    document = copy.deepcopy(document)
    for _ in range(chance.randint(1, 2)):
        *steps, last = chance.choice(list(places(document)))
        holder = document
        for step in steps:
            holder = holder[step]
        if chance.random() < 0.25:
            del holder[last]
        else:
            holder[last] = copy.deepcopy(chance.choice(VALUES))
    return document


def hs3_with_functions() -> Any:
    document = hs3.write(workspace_spec())
    document["functions"] = [
        {"name": "product", "type": "product", "factors": ["mu", 2]},
        {"name": "line", "type": "generic_function", "expression": "mu + 1"},
    ]
    factors = [{"name": name, "type": "normfactor", "parameter": name} for name in ("product", "line")]
    document["distributions"][0]["samples"][0]["modifiers"].extend(factors)
    return document


@pytest.fixture
def trials(request: pytest.FixtureRequest) -> range:
    first = request.config.getoption("--fuzz-first")
    return range(first, first + request.config.getoption("--fuzz"))


def test_damaged_documents(trials: range) -> None:
    originals = [hs3_with_functions(), *EXACT.values(), *COMPUTED.values()]
    for seed in trials:
        chance = random.Random(seed)
        for document in (originals[0], chance.choice(originals)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with contextlib.suppress(PyhfFuncError):
                    pf.read(damaged(document, chance))


def test_damaged_datacards(trials: range) -> None:
    more = ("g group = k", "SR autoMCStats 0", "e extArg 1 [0,3]", "p param 1 0.1 [0,2]")
    for seed in trials:
        chance = random.Random(seed)
        for _ in range(5):
            lines, _, _ = chance.choice(list(CLOSED.values()))
            words = list(counting(lines, *more, "nuisance edit split b SR k l m 1.1 1.2"))
            for _ in range(chance.randint(1, 3)):
                words[chance.randrange(len(words))] = chance.choice(WORDS)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with contextlib.suppress(PyhfFuncError):
                    datacards.read("".join(words))
