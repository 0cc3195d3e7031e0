"""Inference: test statistics, asymptotic p-values, hypothesis tests, scans, limits, uncertainties."""

from pyhf_func.core.inference.asymptotics import EXPECTED_SIGMAS as EXPECTED_SIGMAS
from pyhf_func.core.inference.bands import Tables as Tables
from pyhf_func.core.inference.bands import YieldBand as YieldBand
from pyhf_func.core.inference.bands import YieldsResult as YieldsResult
from pyhf_func.core.inference.bands import yields as yields
from pyhf_func.core.inference.covariance import CovarianceResult as CovarianceResult
from pyhf_func.core.inference.covariance import covariance as covariance
from pyhf_func.core.inference.goodness import GoodnessResult as GoodnessResult
from pyhf_func.core.inference.goodness import goodness_of_fit as goodness_of_fit
from pyhf_func.core.inference.hypothesis import HypotestResult as HypotestResult
from pyhf_func.core.inference.hypothesis import hypotest as hypotest
from pyhf_func.core.inference.impacts import ImpactResult as ImpactResult
from pyhf_func.core.inference.impacts import impacts as impacts
from pyhf_func.core.inference.intervals import IntervalResult as IntervalResult
from pyhf_func.core.inference.intervals import intervals as intervals
from pyhf_func.core.inference.limits import LimitResult as LimitResult
from pyhf_func.core.inference.limits import upper_limit as upper_limit
from pyhf_func.core.inference.profiles import ProfileResult as ProfileResult
from pyhf_func.core.inference.profiles import profile as profile
from pyhf_func.core.inference.scans import DiscoveryResult as DiscoveryResult
from pyhf_func.core.inference.scans import ScanResult as ScanResult
from pyhf_func.core.inference.scans import discovery as discovery
from pyhf_func.core.inference.scans import scan as scan
from pyhf_func.core.inference.toy_results import ToysResult as ToysResult
from pyhf_func.core.inference.toy_results import merge_toys as merge_toys
