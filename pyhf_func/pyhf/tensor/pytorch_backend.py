"""The PyTorch backend."""

import logging

from pyhf_func.adapters.torch import pytorch_backend as pytorch_backend

log = logging.getLogger("pyhf_func.tensor.pytorch_backend")  # programs written for pyhf set its level

__all__ = ["pytorch_backend"]
