"""Which folders are shipped, and under which name: everything else stands in pyproject.toml.

The top-level folder ``adapters`` is shipped as ``pyhf_func.adapters``, in the place of the file that stands for it in
a checkout; the other packages are found where they lie; setuptools wants folders without a module of their own named,
too: those of data, and the one in which other processes find ``pyhf``.
"""

from setuptools import find_packages, setup

LIBRARY = find_packages(include=["pyhf_func", "pyhf_func.*"], exclude=["pyhf_func.adapters"])
ADAPTERS = ["pyhf_func." + name for name in find_packages(include=["adapters", "adapters.*"])]
DATA = ["pyhf_func.schema.files"]
STAND_IN = ["pyhf_func.stand_in.pyhf"]

setup(packages=[*LIBRARY, *DATA, *STAND_IN, *ADAPTERS], package_dir={"pyhf_func.adapters": "adapters"})
