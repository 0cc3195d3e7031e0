"""The JAX backend."""

import logging

from pyhf_func.adapters.jax import jax_backend as jax_backend

log = logging.getLogger("pyhf_func.tensor.jax_backend")  # programs written for pyhf set its level

__all__ = ["jax_backend"]
