"""The TensorFlow backend."""

from pyhf_func.adapters.tensorflow import tensorflow_backend as tensorflow_backend

__all__ = ["tensorflow_backend"]
