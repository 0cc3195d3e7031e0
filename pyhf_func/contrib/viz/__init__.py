"""Plots. They need matplotlib, which the extra ``plot`` brings."""
