"""The tests of pyhf_func; `tests.reference` is an implementation that shares nothing with the package."""
