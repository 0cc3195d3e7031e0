"""Inference: test statistics, asymptotic p-values, hypothesis tests, scans, limits, uncertainties."""

from pyhf_func.core.inference.asymptotics import EXPECTED_SIGMAS as EXPECTED_SIGMAS
from pyhf_func.core.inference.covariance import CovarianceResult as CovarianceResult
from pyhf_func.core.inference.covariance import covariance as covariance
from pyhf_func.core.inference.covariance import covariance_of as covariance_of
from pyhf_func.core.inference.discovery import DiscoveryResult as DiscoveryResult
from pyhf_func.core.inference.discovery import discovery as discovery
from pyhf_func.core.inference.goodness_of_fit import GoodnessResult as GoodnessResult
from pyhf_func.core.inference.goodness_of_fit import goodness_of_fit as goodness_of_fit
from pyhf_func.core.inference.hypotest import HypotestResult as HypotestResult
from pyhf_func.core.inference.hypotest import hypotest as hypotest
from pyhf_func.core.inference.impacts import ImpactResult as ImpactResult
from pyhf_func.core.inference.impacts import impacts as impacts
from pyhf_func.core.inference.intervals import IntervalResult as IntervalResult
from pyhf_func.core.inference.intervals import intervals as intervals
from pyhf_func.core.inference.profile import ProfileResult as ProfileResult
from pyhf_func.core.inference.profile import profile as profile
from pyhf_func.core.inference.scan import ScanResult as ScanResult
from pyhf_func.core.inference.scan import scan as scan
from pyhf_func.core.inference.toy_results import ToysResult as ToysResult
from pyhf_func.core.inference.toy_results import merge_toys as merge_toys
from pyhf_func.core.inference.upper_limit import LimitResult as LimitResult
from pyhf_func.core.inference.upper_limit import upper_limit as upper_limit
from pyhf_func.core.inference.yields import Tables as Tables
from pyhf_func.core.inference.yields import YieldBand as YieldBand
from pyhf_func.core.inference.yields import YieldsResult as YieldsResult
from pyhf_func.core.inference.yields import yields as yields
