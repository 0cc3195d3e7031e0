"""The PyTorch backend."""

from pyhf_func.adapters.torch import pytorch_backend as pytorch_backend

__all__ = ["pytorch_backend"]
