"""Inference: test statistics, asymptotic p-values, hypothesis tests."""

from pyhf_func.core.inference.asymptotics import EXPECTED_SIGMAS as EXPECTED_SIGMAS
from pyhf_func.core.inference.asymptotics import TestStat as TestStat
from pyhf_func.core.inference.hypothesis import HypotestResult as HypotestResult
from pyhf_func.core.inference.hypothesis import hypotest as hypotest
