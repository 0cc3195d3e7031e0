"""From a traced function to a list of NumPy's operations, and how that is run.

JAX traces a function to a *jaxpr*: a list of equations, each with a primitive operation, its parameters, inputs and
outputs. Each becomes one step, a function of NumPy arrays; loops and branches hold programs of their own. What depends
on constants alone is computed here, and what nothing depends on is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Var

from pyhf_func.compiled.plain.operations import RULES, Unsupported

_TIME = 0  # the slot of the time at which a run is given up
_CALLS = ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "custom_vmap_call")


class OutOfTime(Exception):
    """A run took longer than it was allowed to."""


@dataclass(frozen=True)
class Program:
    """Steps between numbered slots."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    slots: tuple[Any, ...]
    """The content of the slots at the beginning: constants."""
    steps: tuple[tuple[Callable[..., Any], tuple[int, ...], int | tuple[int, ...]], ...]
    size: int
    """How many equations, those of inner programs included."""

    def __call__(self, arrays: Sequence[Any], until: float = np.inf) -> list[Any]:
        """The outputs for some inputs.

        Raises:
            OutOfTime: It took until the time, by `time.thread_time`, that was given.
        """
        slots = list(self.slots)
        slots[_TIME] = until
        for place, array in zip(self.inputs, arrays, strict=True):
            slots[place] = array
        for function, ins, outs in self.steps:
            result = function(*[slots[place] for place in ins])
            if isinstance(outs, int):
                slots[outs] = result
            else:
                for place, one in zip(outs, result, strict=True):
                    slots[place] = one
        return [slots[place] for place in self.outputs]


def translate(traced: ClosedJaxpr) -> Program:
    """The program of a traced function.

    Raises:
        Unsupported: NumPy has no such operation here.
    """
    builder = _Builder(traced.jaxpr)
    return builder.program(traced.consts)


class _Known:
    """A value that is known before the program runs."""

    def __init__(self, value: Any) -> None:
        self.value = value


@dataclass(frozen=True)
class _Step:
    function: Callable[..., Any]
    ins: tuple[Any, ...]  # nodes or known values
    outs: tuple[Any, ...]  # nodes
    several: bool
    timed: bool


class _Builder:
    """Makes the program of one jaxpr; those that it calls are part of it."""

    def __init__(self, jaxpr: Jaxpr) -> None:
        self._jaxpr = jaxpr
        self._steps: list[_Step] = []
        self._size = 0

    def program(self, consts: Sequence[Any]) -> Program:
        inputs = [object() for _ in self._jaxpr.invars]
        outputs = self._inline(self._jaxpr, [_Known(_as_numpy(const)) for const in consts], inputs)
        return _allocated(inputs, outputs, _needed(self._steps, outputs), self._size)

    def _inline(self, jaxpr: Jaxpr, consts: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        values: dict[Var, Any] = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *inputs], strict=True))

        def read(atom: Any) -> Any:
            return _Known(_as_numpy(atom.val, _type(atom))) if isinstance(atom, Literal) else values[atom]

        for equation in jaxpr.eqns:
            ins = [read(atom) for atom in equation.invars]
            values.update(zip(equation.outvars, self._outputs(equation, ins), strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def _outputs(self, equation: JaxprEqn, ins: list[Any]) -> list[Any]:
        name = equation.primitive.name
        if name in _CALLS:
            inner = _closed(next(_jaxprs(equation)))
            return self._inline(inner.jaxpr, [_Known(_as_numpy(const)) for const in inner.consts], ins)
        self._size += 1
        control = _CONTROL.get(name)
        if control is not None:
            function, size = control(equation)
            self._size += size
        elif name in RULES:
            function = RULES[name](equation)
        else:
            raise Unsupported(name)
        several = equation.primitive.multiple_results
        if control is None and all(isinstance(value, _Known) for value in ins):
            with np.errstate(all="ignore"):
                result = function(*[value.value for value in ins])
            return [_Known(one) for one in (result if several else [result])]
        outs = [object() for _ in equation.outvars]
        self._steps.append(_Step(function, tuple(ins), tuple(outs), several, control is not None))
        return outs


def _needed(steps: list[_Step], outputs: list[Any]) -> list[_Step]:
    """The steps that outputs depend on."""
    wanted, kept = set(map(id, outputs)), []
    for step in reversed(steps):
        if any(id(out) in wanted for out in step.outs):
            wanted.update(map(id, step.ins))
            kept.append(step)
    return kept[::-1]


def _allocated(inputs: list[Any], outputs: list[Any], steps: list[_Step], size: int) -> Program:
    """The program with a slot for each value; those that are not needed any more make room for others."""
    last = {id(node): number for number, step in enumerate(steps) for node in (*step.ins, *step.outs)}
    last.update((id(node), len(steps)) for node in outputs)
    constants: list[Any] = [None]
    places: dict[int, int] = {}
    free: list[int] = []

    def place_of(node: Any) -> int:
        if id(node) not in places:
            known = isinstance(node, _Known)
            if free and not known:
                places[id(node)] = free.pop()
            else:
                places[id(node)] = len(constants)
                constants.append(node.value if known else None)
        return places[id(node)]

    ins = tuple(place_of(node) for node in inputs)
    made = []
    for number, step in enumerate(steps):
        sources = tuple(place_of(node) for node in step.ins)
        targets = tuple(place_of(node) for node in step.outs)
        over = {id(n): n for n in (*step.ins, *step.outs) if last[id(n)] == number and not isinstance(n, _Known)}
        free += [places[key] for key in over]
        sources = (_TIME, *sources) if step.timed else sources
        made.append((step.function, sources, targets if step.several else targets[0]))
    return Program(ins, tuple(place_of(node) for node in outputs), tuple(constants), tuple(made), size)


def _type(atom: Any) -> Any:
    return atom.aval.dtype


def _as_numpy(value: Any, dtype: Any = None) -> Any:
    try:
        return np.asarray(value, dtype)[()]
    except TypeError as error:
        raise Unsupported(str(error)) from error


def _jaxprs(equation: JaxprEqn) -> Iterator[Any]:
    for parameter in equation.params.values():
        if isinstance(parameter, ClosedJaxpr | Jaxpr):
            yield parameter


def _closed(jaxpr: Any) -> ClosedJaxpr:
    return jaxpr if isinstance(jaxpr, ClosedJaxpr) else ClosedJaxpr(jaxpr, ())


@dataclass(frozen=True)
class _While:
    condition: Program
    body: Program
    condition_constants: int
    body_constants: int

    def __call__(self, until: float, *arrays: Any) -> list[Any]:
        begin = self.condition_constants + self.body_constants
        of_condition, of_body = arrays[: self.condition_constants], arrays[self.condition_constants : begin]
        state: Sequence[Any] = arrays[begin:]
        while np.any(goes_on := self.condition((*of_condition, *state), until)[0]):
            _check(until)
            after = self.body((*of_body, *state), until)
            lanes = np.ndim(goes_on)  # of loops side by side, those that have ended stay as they are
            state = [_where(goes_on, new, old) for new, old in zip(after, state, strict=True)] if lanes else after
        return list(state)


def _where(lanes: Any, new: Any, old: Any) -> Any:
    return np.where(np.reshape(lanes, lanes.shape + (1,) * (np.ndim(new) - lanes.ndim)), new, old)


@dataclass(frozen=True)
class _Branches:
    branches: tuple[Program, ...]

    def __call__(self, until: float, index: Any, *arrays: Any) -> list[Any]:
        number = min(max(int(index), 0), len(self.branches) - 1)
        return self.branches[number](arrays, until)


@dataclass(frozen=True)
class _Scan:
    body: Program
    constants: int
    carried: int
    length: int
    backwards: bool
    stacked: tuple[tuple[tuple[int, ...], np.dtype], ...]  # shapes and types of what is collected

    def __call__(self, until: float, *arrays: Any) -> list[Any]:
        fixed, rest = arrays[: self.constants], arrays[self.constants :]
        state, sequences = list(rest[: self.carried]), rest[self.carried :]
        collected = [np.empty((self.length, *shape), dtype) for shape, dtype in self.stacked]
        for number in reversed(range(self.length)) if self.backwards else range(self.length):
            _check(until)
            result = self.body((*fixed, *state, *(sequence[number] for sequence in sequences)), until)
            state = result[: self.carried]
            for whole, one in zip(collected, result[self.carried :], strict=True):
                whole[number] = one
        return [*state, *collected]


def _check(until: float) -> None:
    if time.thread_time() > until:
        raise OutOfTime


def _while(equation: JaxprEqn) -> tuple[Callable[..., Any], int]:
    p = equation.params
    condition, body = translate(p["cond_jaxpr"]), translate(p["body_jaxpr"])
    return _While(condition, body, p["cond_nconsts"], p["body_nconsts"]), condition.size + body.size


def _cond(equation: JaxprEqn) -> tuple[Callable[..., Any], int]:
    branches = tuple(map(translate, equation.params["branches"]))
    return _Branches(branches), sum(branch.size for branch in branches)


def _scan(equation: JaxprEqn) -> tuple[Callable[..., Any], int]:
    p = equation.params
    body = translate(p["jaxpr"])
    stacked = tuple((out.shape, np.dtype(out.dtype)) for out in p["jaxpr"].out_avals[p["num_carry"] :])
    return _Scan(body, p["num_consts"], p["num_carry"], p["length"], p["reverse"], stacked), body.size


_CONTROL = {"while": _while, "cond": _cond, "scan": _scan}
