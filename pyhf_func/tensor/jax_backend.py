"""The JAX backend."""

from pyhf_func.adapters.jax import jax_backend as jax_backend

__all__ = ["jax_backend"]
