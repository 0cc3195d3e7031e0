"""The memory that fits need, compared with what there is before it is claimed: later a process is killed or aborts.

What grows fastest with a model are dense matrices of the solver: the Jacobian of the bins by the shared parameters, the
metric, the Hessian; and lists of terms.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pyhf_func.exceptions import NotEnoughMemory

try:
    import resource
except ImportError:  # not a POSIX system
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from pyhf_func.core.likelihood import Likelihood

LIBRARIES = 1_400_000_000
"""Bytes of addresses that JAX, SciPy and this library take up once they are loaded."""

_COMPILER, _THREAD = 256_000_000, 32_000_000
"""Bytes of addresses that the compiler takes up at least, and for each core."""
_SMALL = 100_000_000
"""Bytes that are there wherever JAX runs at all: not worth a look."""
_JACOBIANS, _METRICS, _HESSIANS, _LISTS = 5, 2, 2, 6
"""How many of these are in memory at once, at least; lists hold a number for each histosys term or entry's factor."""
_HESSIAN_VERBS = ("covariance", "impacts", "intervals", "yields")


@contextmanager
def enough(model: Likelihood, verb: str = "fit", parameters: object = None) -> Iterator[None]:
    """Compute with a model; where its memory is not enough, say so, if possible before anything is computed.

    A covariance of chosen ``parameters`` alone does without the matrix of all.

    Raises:
        NotEnoughMemory: It needs more than there is.
    """
    check(model, verb, parameters)
    try:
        yield
    except Exception as error:
        if not isinstance(error, MemoryError) and "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise NotEnoughMemory(
            f"The memory is not enough. {_asked(model, verb, needed(model, verb, parameters))}"
        ) from error


def check(model: Likelihood, verb: str = "fit", parameters: object = None) -> None:
    """Refuse what can't fit into the memory that this process may still claim.

    Raises:
        NotEnoughMemory: It needs more.
    """
    import jax

    bytes_ = needed(model, verb, parameters)
    limits = _limits() if bytes_ > _SMALL else _limits_of_addresses()
    if not limits or jax.default_backend() != "cpu":
        return
    where, free = min(limits.items(), key=lambda item: item[1])
    bytes_ += compiler() if where == _ADDRESSES else 0
    if bytes_ > free:
        raise NotEnoughMemory(f"{_asked(model, verb, bytes_)} {_size(free)} are left of {where}.")


def check_addresses(bytes_: int) -> None:
    """Refuse to load libraries into a space of addresses that is too small for them.

    Raises:
        NotEnoughMemory: It is.
    """
    for where, free in _limits_of_addresses().items():
        if bytes_ > free:
            raise NotEnoughMemory(
                f"To load JAX and compile needs about {_size(bytes_)}, and {_size(free)} are left of {where}: raise it."
            )


def compiler() -> int:
    """Bytes of addresses that it takes to compile, about."""
    return _COMPILER + _THREAD * (os.cpu_count() or 1)


def needed(model: Likelihood, verb: str = "fit", parameters: object = None) -> int:
    """Bytes that the matrices of one computation take up, at least."""
    bins, pars, shared = model.n_bins, model.n_pars, model.private.shared if model.is_plain else model.n_pars
    numbers = _JACOBIANS * bins * shared + _METRICS * min(bins, shared) ** 2
    numbers += _LISTS * (model.values.histosys_lo.shape[0] + model.indices.entry_scales.size)
    if verb in _HESSIAN_VERBS and (verb != "covariance" or parameters is None):
        numbers += _HESSIANS * pars**2
    return int(numbers) * model.values.nominal.dtype.itemsize


def _asked(model: Likelihood, verb: str, bytes_: int) -> str:
    return (
        f"To compute {verb} with {model.n_pars} parameters and {model.n_bins} bins needs {_size(bytes_)} or more: "
        "merge bins, prune parameters, raise the limit, or use a machine with more memory."
    )


def _size(bytes_: int) -> str:
    return f"{bytes_ / 1e9:.1f} GB" if bytes_ >= 1e9 else f"{max(bytes_, 0) / 1e6:.0f} MB"


_ADDRESSES = "this process's address space (ulimit -v)"


def _limits() -> dict[str, int]:
    """Bytes that may still be claimed, by what limits them."""
    return _limits_of_addresses() | _limits_of_group() | _limits_of_machine()


def _limits_of_addresses() -> dict[str, int]:
    with suppress(OSError, ValueError, AttributeError):  # not a POSIX system, or not Linux
        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return {}
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        return {_ADDRESSES: limit - pages * resource.getpagesize()}
    return {}


def _limits_of_group(proc: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup") -> dict[str, int]:
    """Of the control groups that containers and batch systems make, each inside another one."""
    free: list[int] = []
    with suppress(OSError):
        for line in Path(proc).read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in ("", "memory"):
                place = Path(controllers, path.strip("/"))
                free += [
                    found for folder in (place, *place.parents) if (found := _free(Path(root, folder))) is not None
                ]
    return {"this container's or job's memory": min(free)} if free else {}


def _free(group: Path) -> int | None:
    """Bytes that are left of a control group's memory; what files cache there can be given back."""
    for limit, used, cached in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        with suppress(OSError, ValueError):  # the other version of control groups, or no limit: "max"
            free = int((group / limit).read_text()) - int((group / used).read_text())
            return free + _field((group / "memory.stat").read_text().splitlines(), cached)
    return None


def _limits_of_machine() -> dict[str, int]:
    with suppress(OSError, ValueError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        swap, memory = _field(lines, "SwapFree:"), _field(lines, "MemAvailable:")
        return {"this machine's memory": (memory + swap) * 1024}
    return {}


def _field(lines: list[str], name: str) -> int:
    return next((int(line.split()[1]) for line in lines if line.split()[:1] == [name]), 0)
