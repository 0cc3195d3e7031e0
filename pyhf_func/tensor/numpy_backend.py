"""The NumPy backend."""

from pyhf_func.adapters.numpy import numpy_backend as numpy_backend

__all__ = ["numpy_backend"]
