"""Records of runs of toys: added to, merged, compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from pyhf_func.core.compiler.overrides import Start
from pyhf_func.core.fit.result import FitResult
from pyhf_func.core.inference.toys import Toys, counting_error, ratio_error, tolerance
from pyhf_func.core.likelihood.fingerprint import of_model, of_numbers
from pyhf_func.core.likelihood.structure import Likelihood

FITS = ("free_fit", "conditional_fit", "asimov_fit")
ONCE = ("mu", "teststat", "status", "key", "test", "bounds", *FITS)
CLOSE = 1e-6
"""How far the same fits on two machines may differ."""


class Record(NamedTuple):
    """The findings of a run so far, from which its result is made."""

    mu: Any
    teststat: Any
    status: Any
    key: Any
    test: Any  # (3,) digests, see `digests`; zero where they are not known
    bounds: Any  # (pars, 2)
    free_fit: FitResult
    conditional_fit: FitResult
    asimov_fit: FitResult
    numbers: Any  # (toys,)
    toys: Toys  # (toys, 2)

    def check_same(self, other: Record) -> None:
        """Refuse another run whose toys are not from the same test and key.

        Raises:
            ValueError: It tells what differs.
        """
        names = "model", "set of data", "test statistic, or what is fixed,"
        known_tests = np.any(self.test) and np.any(other.test)
        for name, known, given in (
            *(zip(names, self.test, other.test, strict=True) if known_tests else ()),
            ("PRNG key", self.key, other.key),
            ("tested value", self.mu, other.mu),
            ("observed test statistic", self.teststat, other.teststat),
            ("set of bounds", self.bounds, other.bounds),
            ("fit at the tested value", self.conditional_fit.pars, other.conditional_fit.pars),
            ("fit at the alternative", self.asimov_fit.pars, other.asimov_fit.pars),
        ):
            exact = name in (*names, "PRNG key")
            if np.shape(known) != np.shape(given) or not (
                np.array_equal(known, given)
                if exact
                else np.allclose(known, given, rtol=CLOSE, atol=CLOSE, equal_nan=True)
            ):
                raise ValueError(f"These toys are of different tests and can't be merged: the {name} differs.")

    def with_toys(self, chunks: Sequence[tuple[Any, Toys]]) -> Record:
        """The record with more toys, given with their numbers; in the order of the numbers.

        Raises:
            ValueError: A number is there twice.
        """
        numbers = np.concatenate([self.numbers, *(chunk[0] for chunk in chunks)])
        order = np.argsort(numbers, kind="stable")
        numbers = numbers[order]
        twice = numbers[1:][numbers[1:] == numbers[:-1]]
        if twice.size:
            raise ValueError(
                f"{twice.size} toys are there twice, such as number {twice[0]}: "
                "give each job numbers of its own (first=..., in the shell --first)."
            )
        every = (self.toys, *(chunk[1] for chunk in chunks))
        toys = jax.tree.map(lambda *parts: np.concatenate(parts)[order], *every)
        return self._replace(numbers=numbers, toys=toys)

    def joined(self, other: Record) -> Record:
        """The record with those toys of another one of the same test that it lacks."""
        numbers, toys = together([(self.numbers, self.toys), (other.numbers, other.toys)])
        return self._replace(numbers=numbers, toys=toys)

    def at(self, places: slice) -> Record:
        """The record with some of its toys."""
        return self._replace(numbers=self.numbers[places], toys=jax.tree.map(lambda x: x[places], self.toys))


Chunk = tuple[Any, Toys]
"""Numbers of toys, and the toys."""


def together(chunks: Sequence[Chunk]) -> Chunk:
    """The toys of several chunks, in the order of their numbers; of those that are there twice, the first."""
    numbers, places = np.unique(np.concatenate([chunk[0] for chunk in chunks]), return_index=True)
    return numbers, jax.tree.map(lambda *parts: np.concatenate(parts)[places], *(chunk[1] for chunk in chunks))


def digests(model: Likelihood, data: Any, test_stat: str, start: Start) -> np.ndarray:
    """Three numbers that tell tests apart: of the model, of the data, and of the statistic with what is fixed."""
    held = np.where(start.fixed, start.init, 0.0)
    parts = of_model(model), of_numbers(data), of_numbers(test_stat, start.fixed, held)
    return np.array([int.from_bytes(part[:4], "big") or 1 for part in parts], np.uint32)


class ErrorCount:
    """The Monte Carlo error of CLs while toys are still added."""

    def __init__(self, record: Record) -> None:
        self._lowest = record.teststat - tolerance(record.teststat)
        self._extreme = self._good = np.zeros(2, int)
        self.add(record.toys)

    def add(self, toys: Toys) -> None:
        """Count more toys, shape (toys, 2)."""
        self._extreme = self._extreme + np.sum(toys.teststat >= self._lowest, axis=0)
        self._good = self._good + np.sum(np.isfinite(toys.teststat), axis=0)

    def of_cls(self) -> float:
        """The error of CLs so far; infinite as long as no toy of the alternative is as extreme as the data."""
        if not np.all(self._good) or not self._extreme[1]:
            return math.inf
        fractions = self._extreme / self._good
        return float(ratio_error(*fractions, *counting_error(self._extreme, self._good)))
