"""Which folders are shipped, and under which name: everything else stands in pyproject.toml.

The top-level folder ``adapters`` is shipped as ``pyhf_func.adapters``; the other packages are found where
they lie.
"""

from setuptools import find_packages, setup

LIBRARY = find_packages(include=["pyhf_func", "pyhf_func.*"])
ADAPTERS = ["pyhf_func." + name for name in find_packages(include=["adapters", "adapters.*"])]

setup(packages=[*LIBRARY, *ADAPTERS], package_dir={"pyhf_func.adapters": "adapters"})
