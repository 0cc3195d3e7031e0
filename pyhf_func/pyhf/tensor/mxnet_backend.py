"""The MXNet backend."""

from pyhf_func.adapters.mxnet import mxnet_backend as mxnet_backend

__all__ = ["mxnet_backend"]
