"""Scripts written for pyhf, which run on pyhf and on pyhf_func in its place."""
