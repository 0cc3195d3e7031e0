"""Which folders are shipped, and under which name: everything else stands in pyproject.toml.

The top-level folder ``adapters`` is shipped as ``pyhf_func.adapters``, in the place of the file that stands for it in
a checkout; the other packages are found where they lie; setuptools wants folders of data named, too.
"""

from setuptools import find_packages, setup

LIBRARY = find_packages(include=["pyhf_func", "pyhf_func.*"], exclude=["pyhf_func.adapters"])
ADAPTERS = ["pyhf_func." + name for name in find_packages(include=["adapters", "adapters.*"])]
DATA = ["pyhf_func.schema.files"]

setup(packages=[*LIBRARY, *DATA, *ADAPTERS], package_dir={"pyhf_func.adapters": "adapters"})
