"""An exhaustive judge of fits: random models of every kind, and minima found by means that need nothing of ours."""
