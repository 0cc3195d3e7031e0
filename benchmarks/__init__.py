"""Comparison with pyhf in one run: ``python -m benchmarks [FILES...]`` or ``make bench``."""
