"""Found as ``pyhf`` by processes started from one that called `pyhf_func.as_pyhf`: calls it here, too."""

from pyhf_func._dropin import as_pyhf

as_pyhf()
