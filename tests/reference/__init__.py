"""A slow, obvious HistFactory: loops over channels, samples, bins and modifiers in plain Python.

Written from the formulas of CERN-OPEN-2012-016 (the HistFactory note) and arXiv:1007.1727 (asymptotic
formulae), with the parameter order and the defaults of pyhf 0.7.6. It imports neither the package under
test nor JAX, so the two can only agree by being right, or by misreading the same formula: parity with pyhf
guards against that.
"""

from tests.reference.fit import Fit, fit, fit_fixed_poi
from tests.reference.inference import Hypotest, hypotest, teststat
from tests.reference.interpolation import CODES, code0, code1, code2, code4, code4p
from tests.reference.model import ReferenceModel, main_data, reference_model

__all__ = [
    "CODES",
    "Fit",
    "Hypotest",
    "ReferenceModel",
    "code0",
    "code1",
    "code2",
    "code4",
    "code4p",
    "fit",
    "fit_fixed_poi",
    "hypotest",
    "main_data",
    "reference_model",
    "teststat",
]
