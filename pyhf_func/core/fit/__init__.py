"""Fits: bounded minimisation of the negative log-likelihood, differentiable by the implicit function theorem."""

from pyhf_func.core.fit.choice import chosen_minimiser as chosen_minimiser
from pyhf_func.core.fit.first_order import LBFGS as LBFGS
from pyhf_func.core.fit.first_order import FirstOrder as FirstOrder
from pyhf_func.core.fit.host import HostMinimiser as HostMinimiser
from pyhf_func.core.fit.host import Minuit as Minuit
from pyhf_func.core.fit.host import SciPy as SciPy
from pyhf_func.core.fit.newton import Newton as Newton
from pyhf_func.core.fit.problem import Minimiser as Minimiser
from pyhf_func.core.fit.problem import Minimum as Minimum
from pyhf_func.core.fit.problem import Problem as Problem
from pyhf_func.core.fit.result import FitResult as FitResult
from pyhf_func.core.fit.result import compiled_fit as compiled_fit
from pyhf_func.core.fit.result import describe as describe
from pyhf_func.core.fit.result import fit_problem as fit_problem
from pyhf_func.core.fit.result import where_converged as where_converged
from pyhf_func.core.fit.result import where_known as where_known
from pyhf_func.core.fit.result import worst as worst
from pyhf_func.core.fit.solution import attach as attach
from pyhf_func.core.fit.status import Status as Status
