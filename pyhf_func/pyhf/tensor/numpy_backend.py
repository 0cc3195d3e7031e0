"""The NumPy backend."""

import logging

from pyhf_func.adapters.numpy import numpy_backend as numpy_backend

log = logging.getLogger("pyhf_func.tensor.numpy_backend")  # programs written for pyhf set its level

__all__ = ["numpy_backend"]
