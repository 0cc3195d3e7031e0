"""The likelihood as pure functions of arrays."""

from pyhf_func.core.likelihood.interpolation import ADDITIVE as ADDITIVE
from pyhf_func.core.likelihood.interpolation import MULTIPLICATIVE as MULTIPLICATIVE
from pyhf_func.core.likelihood.logpdf import constraint_logpdf as constraint_logpdf
from pyhf_func.core.likelihood.logpdf import logpdf as logpdf
from pyhf_func.core.likelihood.logpdf import main_logpdf as main_logpdf
from pyhf_func.core.likelihood.structure import Indices as Indices
from pyhf_func.core.likelihood.structure import Likelihood as Likelihood
from pyhf_func.core.likelihood.structure import Space as Space
from pyhf_func.core.likelihood.structure import Values as Values
from pyhf_func.core.likelihood.yields import entry_yields as entry_yields
from pyhf_func.core.likelihood.yields import expected_aux as expected_aux
from pyhf_func.core.likelihood.yields import expected_data as expected_data
from pyhf_func.core.likelihood.yields import expected_main as expected_main
