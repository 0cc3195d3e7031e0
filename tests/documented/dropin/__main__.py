"""Run a script with pyhf, or with pyhf_func in its place: ``python -m tests.documented.dropin LIBRARY SCRIPT BACKEND``.

The script's ``main(backend)`` gives numbers and texts, which are printed as JSON.
"""

import importlib
import json
import logging
import sys
import warnings
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Tensors as lists, keys as texts."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if hasattr(value, "detach"):
        value = value.detach()
    return np.asarray(value.asnumpy() if hasattr(value, "asnumpy") else value).tolist()


def main() -> None:
    """Run it."""
    library, script, backend = sys.argv[1:]
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    if library == "pyhf_func":
        sys.modules["pyhf"] = importlib.import_module("pyhf_func")
    result = importlib.import_module(f"tests.documented.dropin.{script}").main(backend)
    print(json.dumps(plain(result)))


if __name__ == "__main__":
    main()
