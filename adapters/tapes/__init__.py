"""The tapes of other frameworks: one file a framework, each of which puts programs of JAX on its tape.

Each offers ``call(function, args, kwargs)``: the function called with the framework's tensors for arrays.
"""
