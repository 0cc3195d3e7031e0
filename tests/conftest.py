"""Settings and fixtures of the whole suite: double precision, deterministic properties, the shared data."""

import atexit
import importlib.util
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import pytest
from hypothesis import HealthCheck, settings

from pyhf_func.compiled import clear_programs, use_cache
from pyhf_func.compiled.function import FAST_TO_COMPILE

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"

if str(ROOT) not in sys.path:  # for `tests.zoo`, `tests.reference`; last, so that an installed package stays first
    sys.path.append(str(ROOT))

PACKAGE = Path(str(importlib.util.find_spec("pyhf_func").origin)).resolve().parents[1]  # type: ignore[union-attr]
# Processes that tests start get the same package, wherever they run, and no other.
os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(PACKAGE), str(ROOT)]))
os.environ["PYTHONSAFEPATH"] = "1"

# Half of the suite's time is compilation, of tiny models: so it is done as the library does it at first, but with the
# usual level of optimisation. XLA reads this with the first computation.
_OPTIONS = {name: value for name, value in FAST_TO_COMPILE.items() if name != "xla_backend_optimization_level"}
os.environ.setdefault("XLA_FLAGS", " ".join(f"--{name}={str(value).lower()}" for name, value in _OPTIONS.items()))

# The workers share what they compile. So do the processes that tests start, as the library does it: what JAX has from
# its own cache can't be stored once more.
for variable in ("PYHF_FUNC_CACHE", "PYHF_FUNC_TESTS_CACHE"):
    if variable not in os.environ:
        os.environ[variable] = tempfile.mkdtemp(prefix="pyhf_func-tests-")
        atexit.register(shutil.rmtree, os.environ[variable], ignore_errors=True)
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    jax.config.update("jax_compilation_cache_dir", os.environ["PYHF_FUNC_TESTS_CACHE"])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")  # what is not meant is found, as a user who sets it finds it

use_cache(False)  # here, where tests replace parts of the library

settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("suite")


SECONDS = 1.5
"""A test that takes longer carries the marker ``slow``, so that ``make quick`` leaves it out."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this suite: what is tested, naming slow tests, and the length of fuzzing."""
    parser.addoption("--installed", action="store_true", help="refuse to test the source tree")
    parser.addoption("--note-slow", action="store_true", help=f"name tests of more than {SECONDS} s without a marker")
    parser.addoption("--fuzz", type=int, default=20, metavar="N", help="number of trials of each test in tests/fuzz")
    parser.addoption("--fuzz-first", type=int, default=0, metavar="SEED", help="seed of the first of these trials")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers of this suite, and check what is tested."""
    if config.getoption("--installed") and PACKAGE == ROOT:
        raise pytest.UsageError(f"--installed: pyhf_func would be imported from {PACKAGE}")
    config.addinivalue_line("markers", f"slow: takes more than {SECONDS} s")
    config.addinivalue_line("markers", "shared_data: needs the published likelihoods beside the repository")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the slow tests that are not marked."""
    if not config.getoption("--note-slow"):
        return
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "duration") and "slow" not in report.keywords:
                seconds[report.nodeid] += report.duration
    terminalreporter.section("slow tests without a marker")
    for test, took in seconds.most_common():
        if took > SECONDS:
            terminalreporter.line(f"{took:6.1f} s  {test}")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of published likelihoods beside the repository; the test is skipped where there is none."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no published likelihoods at {SHARED_DATA.relative_to(ROOT.parent)} beside the repository")
    return SHARED_DATA


@pytest.fixture
def trials(request: pytest.FixtureRequest) -> Iterator[random.Random]:
    """A source of random numbers for each trial of a fuzzer: ``for rng in trials: ...``.

    The last line that a failed test printed names its seed; ``--fuzz 1 --fuzz-first SEED`` repeats it.
    """
    first = request.config.getoption("--fuzz-first")

    def sources() -> Iterator[random.Random]:
        for seed in range(first, first + request.config.getoption("--fuzz")):
            print(f"trial with --fuzz-first {seed}")
            yield random.Random(seed)

    return sources()


@pytest.fixture
def pyhf_numpy() -> ModuleType:
    """pyhf 0.7.6 with its NumPy backend and a SciPy minimiser of tight tolerance."""
    pyhf = pytest.importorskip("pyhf", minversion="0.7.6")
    logging.getLogger("pyhf").setLevel(logging.ERROR)
    pyhf.set_backend("numpy", pyhf.optimize.scipy_optimizer(tolerance=1e-12))
    return pyhf


@pytest.fixture(autouse=True, scope="module")
def _signals_as_in_a_terminal() -> Iterator[None]:
    """Handle signals as usual, here and in processes that tests start: in the background a shell has some ignored."""
    usual = {signal.SIGINT: signal.default_int_handler}
    usual |= {getattr(signal, name): signal.SIG_DFL for name in ("SIGTERM", "SIGHUP", "SIGXCPU") if name in dir(signal)}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True, scope="module")
def _leave_nothing() -> Iterator[None]:
    """Give back what was compiled: gigabytes in the end."""
    yield
    jax.clear_caches()
    clear_programs()
