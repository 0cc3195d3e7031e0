"""The exception of what NumPy does not do here."""


class Unsupported(Exception):
    """There is no operation for it: the function has to be compiled."""
