"""Test statistics are objects: the rest of the library asks them, so that one more is one entry of their table."""

import re
from pathlib import Path
from typing import Any, get_args

import click
import numpy as np
import pytest
from click.testing import CliRunner

import pyhf_func as pf
from pyhf_func.cli import settings
from pyhf_func.core import statistics
from pyhf_func.core.statistics import Q0, QTILDE, STATISTICS, Q, Statistic, TestStat
from pyhf_func.exceptions import InvalidTestStatistic
from tests.core import toy

PACKAGE = Path(pf.__file__).parent
NOMINAL = Statistic("q1", "exclusion of the nominal signal", "below", p_value="p1", tested=1.0)


def test_the_type_of_names_has_every_statistic() -> None:
    assert get_args(TestStat) == tuple(STATISTICS)


def test_statistics_are_known_again_by_the_compiler() -> None:
    copies = [Statistic(**vars(statistic)) for statistic in STATISTICS.values()]
    assert {*copies} == {Q, QTILDE, Q0}
    assert [hash(copy) for copy in copies] == [hash(statistic) for statistic in STATISTICS.values()]


@pytest.mark.parametrize("statistic", STATISTICS.values(), ids=lambda statistic: statistic.name)
def test_best_values_on_one_side_count(statistic: Statistic) -> None:
    below, above = statistic.counts(0.5, 1.0), statistic.counts(1.5, 1.0)
    assert (below, above) == ((False, True) if statistic.purpose == "discovery" else (True, False))
    assert statistic.counts(1.0, 1.0)


def test_no_other_file_compares_names() -> None:
    names = "|".join(STATISTICS)
    compared = re.compile(rf"""[=!]= ?["']({names})["']|["']({names})["'] ?[=!]=""")
    files = [path for path in PACKAGE.rglob("*.py") if path.name != "statistics.py"]
    assert not [str(path) for path in files if compared.search(path.read_text(encoding="utf-8"))]


@pytest.fixture
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(statistics.STATISTICS, NOMINAL.name, NOMINAL)


@pytest.mark.usefixtures("_registered")
def test_a_new_statistic_is_an_entry_of_the_table() -> None:
    """Hypothesis tests, toys and the shell know it; limits, which it can't set, refuse it."""
    model, data = toy.toy()
    found, expected = pf.hypotest(7.0, data, model, test_stat="q1"), pf.hypotest(1.0, data, model, test_stat="q")
    for field in ("clsb", "clsb_expected", "teststat", "teststat_asimov", "clsb_status"):
        np.testing.assert_allclose(getattr(found, field), getattr(expected, field), rtol=1e-9)
    with pytest.raises(InvalidTestStatistic, match=r"It has 'q', 'qtilde'\."):
        pf.upper_limit(data, model, test_stat="q1")

    @click.command
    @settings.statistic_option()
    def command(statistic: Statistic) -> None:
        click.echo(f"{statistic.p_value} {settings.tested_value(None, statistic)}")

    def run(*args: Any) -> str:
        return CliRunner().invoke(command, args).output

    assert run("--test-stat", "q1") == "p1 1.0\n"
    assert "q1 for exclusion of the nominal signal" in " ".join(run("--help").split())
