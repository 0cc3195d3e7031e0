"""Fingerprints of models and data, by which saved work is known again."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import jax
import numpy as np

from pyhf_func.core.likelihood.structure import Group, Likelihood


def of_model(model: Likelihood) -> bytes:
    """32 bytes that two models share where all their numbers agree to six digits, as they do on different machines."""
    custom = None if model.custom is None else type(model.custom).__qualname__
    codes = [group.code if group == Group(group.code) else group for group in (*model.histosys, *model.normsys)]
    programs = [] if model.derived is None else [formulas.program for formulas in model.derived.formulas]
    settings = model.n_bins, *codes, *programs, custom, model.least_entry, model.least_bin, model.continued
    beyond = [[each.density.name for each in model.others], model.others, model.correlation] if model.is_beyond else []
    derived = [] if model.derived is None else [model.derived]
    return of_numbers(settings, model.values, model.indices, model.space, *beyond, *derived)


def of_numbers(*parts: Any) -> bytes:
    """32 bytes for pytrees of numbers and words."""
    content = sha256()
    for leaf in jax.tree.leaves(parts, is_leaf=lambda x: x is None):
        content.update(_rounded(np.asarray(leaf)) if not isinstance(leaf, str | None) else repr(leaf).encode() + b";")
    return content.digest()


def _rounded(numbers: np.ndarray) -> bytes:
    """Shape and content of an array; floats to 20 binary digits."""
    head = f"{numbers.dtype.kind}{numbers.shape};".encode()
    if numbers.dtype.kind != "f":
        return head + numbers.astype(np.int64).tobytes()
    with np.errstate(invalid="ignore"):
        mantissa, exponent = np.frexp(numbers.astype(float))
        return head + (np.rint(mantissa * 2**20) + 0.0).tobytes() + exponent.astype(np.int64).tobytes()
