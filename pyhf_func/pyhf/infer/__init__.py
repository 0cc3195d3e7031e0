"""Statistical inference."""

from pyhf_func.pyhf.infer import calculators, intervals, mle, test_statistics, utils
from pyhf_func.pyhf.infer.hypothesis import hypotest

__all__ = ["calculators", "hypotest", "intervals", "mle", "test_statistics", "utils"]


def __dir__() -> list[str]:
    return __all__
