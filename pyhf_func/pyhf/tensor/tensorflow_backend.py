"""The TensorFlow backend."""

import logging

from pyhf_func.adapters.tensorflow import tensorflow_backend as tensorflow_backend

log = logging.getLogger("pyhf_func.tensor.tensorflow_backend")  # programs written for pyhf set its level

__all__ = ["tensorflow_backend"]
