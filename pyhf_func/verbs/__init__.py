"""The verbs: data and a model in, one complete named tuple out. One file a verb, of its name.

Each can be compiled, mapped and differentiated with respect to data, the tested value and every number of the
model. Called with plain numbers they run a compiled program that is shared by all models of one structure. Called
with tensors of PyTorch, TensorFlow or MXNet they give such tensors, with gradients.

A file here whose name has no underscore in front declares a verb: ``pyhf_func.NAME`` loads it on first use.
"""
