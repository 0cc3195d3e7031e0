"""The tensor frameworks: one line each, from which everything that chooses among frameworks derives.

To add one: an adapter that fulfils the `contract`, the module of its class's name in ``pyhf_func/pyhf/tensor/``, a
tape in ``adapters/tapes/`` if derivatives shall flow into it, and its line in `FRAMEWORKS`.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

__all__ = ["FRAMEWORKS", "Framework"]


def __dir__() -> list[str]:
    return __all__


@dataclass(frozen=True)
class Framework:
    """How a framework is called, and where its parts are.

    Attributes:
        module: The module that users import.
        package: What pip installs for it.
        nickname: Another name of the backend in the shell.
        objective: The module of ``pyhf_func.optimize`` that calls objectives written with its tensors.
        tape: The module of ``pyhf_func.adapters.tapes`` with its derivatives; None where JAX's arrays serve.
        tensors: Its tensor classes, as places inside its module.
    """

    module: str
    package: str
    objective: str
    nickname: str | None = None
    tape: str | None = None
    tensors: tuple[str, ...] = ()

    @property
    def is_loaded(self) -> bool:
        """Whether the framework was imported, or is being imported."""
        return self.module in sys.modules

    def tensor_classes(self) -> tuple[type, ...]:
        """The classes whose objects need the tape; none where the framework is not, or not completely, loaded."""
        found = []
        for place in self.tensors:
            thing: Any = sys.modules.get(self.module)
            for name in place.split("."):
                thing = getattr(thing, name, None)
            found.append(thing)
        return tuple(cls for cls in found if isinstance(cls, type))

    def load_tape(self) -> Any:
        """The module with the derivatives, which imports the framework."""
        return importlib.import_module(f"pyhf_func.adapters.tapes.{self.tape}")


FRAMEWORKS = MappingProxyType(
    {
        "numpy": Framework("numpy", "numpy", "opt_numpy", "np"),
        "jax": Framework("jax", "jax", "opt_jax"),
        "pytorch": Framework("torch", "pyhf-func[torch]", "opt_pytorch", "torch", "torch", ("Tensor",)),
        "tensorflow": Framework(
            "tensorflow", "pyhf-func[tensorflow]", "opt_tflow", "tf", "tensorflow", ("Tensor", "Variable")
        ),
        "mxnet": Framework("mxnet", "pyhf-func[mxnet]", "opt_mxnet", None, "mxnet", ("nd.NDArray",)),
    }
)
"""By the name of the backend."""
