"""Tensor frameworks as seen by pyhf_func: one file a framework, shipped as ``pyhf_func.adapters``.

Each file offers the same contract (the array operations of a backend, documented once) for one framework, and
one bridge puts a JAX function together with its derivative on another framework's tape. Likelihoods are
unknown here: nothing in this room imports the engine, the models or the workspaces. A framework is imported
by its own file alone, so that none of them is needed to use another.

The folder lies at the top of the repository; import it as ``pyhf_func.adapters`` only, because importing it
by its folder's name would load a second copy.
"""
