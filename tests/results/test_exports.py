"""Results for HEPData and in ROOT files."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from tests.results import every

NAMED = {
    "Upper limits": "upper_limit",
    "CLs against mu": "scan",
    "Fit": "covariance",
    "Yields": "yields",
    "Impacts": "impacts",
}


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("yaml")
    folder = tmp_path_factory.mktemp("hepdata") / "submission"
    results = {name: every.result_of(verb) for name, verb in NAMED.items()}
    pf.to_hepdata(folder, results, descriptions={"Fit": "All parameters."}, keywords={"cmenergies": [13000.0]})
    return folder


def table(folder: Path, name: str) -> Any:
    import yaml

    return yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))


def test_a_submission_follows_the_rules_of_hepdata(submission: Path) -> None:
    validator = pytest.importorskip("hepdata_validator.full_submission_validator").FullSubmissionValidator()
    valid = validator.validate(directory=str(submission))
    messages = {file: [m.message for m in found] for file, found in validator.get_messages().items()}
    assert valid, messages


def test_a_submission_lists_its_tables(submission: Path) -> None:
    import yaml

    _, *tables = yaml.safe_load_all((submission / "submission.yaml").read_text(encoding="utf-8"))
    assert [one["name"] for one in tables] == [*NAMED]
    assert all((submission / one["data_file"]).is_file() for one in tables)
    assert tables[2]["description"] == "All parameters."
    assert tables[0]["keywords"] == [{"name": "cmenergies", "values": [13000.0]}]


def test_a_scan_is_a_table_over_the_tested_values(submission: Path) -> None:
    found, scan = table(submission, "cls_against_mu"), every.result_of("scan")
    (over,) = found["independent_variables"]
    assert (over["header"]["name"], [cell["value"] for cell in over["values"]]) == ("mu", [0.5, 1.0, 1.5])
    observed, *band = found["dependent_variables"]
    np.testing.assert_allclose([cell["value"] for cell in observed["values"]], scan.cls, rtol=1e-15)
    assert [one["qualifiers"][0]["value"] for one in band] == [-2, -1, 0, 1, 2]
    np.testing.assert_allclose([[c["value"] for c in one["values"]] for one in band], scan.cls_expected.T, rtol=1e-15)


def test_errors_stand_with_their_values(submission: Path) -> None:
    value, _ = table(submission, "fit")["dependent_variables"]
    errors = [cell["errors"][0]["symerror"] if "errors" in cell else 0.0 for cell in value["values"]]
    np.testing.assert_allclose(errors, every.result_of("covariance").errors, rtol=1e-15)


def test_numbers_that_failed_are_dashes_beside_a_status(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    status = jnp.asarray(int(pf.Status.ITERATION_LIMIT))
    numbers = {"observed": np.nan, "observed_status": status, "expected": [0.0, 1, 2, 3, np.inf]}
    failed = every.result_of("upper_limit")._replace(**numbers)
    pf.to_hepdata(tmp_path, {"failed": failed})
    observed, *band, words = table(tmp_path, "failed")["dependent_variables"]
    assert observed["values"] == [{"value": "-"}]
    assert band[-1]["values"] == [{"value": "inf"}]
    assert words["values"] == [{"value": "ITERATION_LIMIT"}]


def test_names_that_hepdata_cannot_hold_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    fit = every.result_of("fit")
    for tables, words in (
        ({"x" * 65: fit}, "longer than 64"),
        ({"A fit": fit, "a-fit": fit}, "the file of another table"),
    ):
        with pytest.raises(ValueError, match=words):
            pf.to_hepdata(tmp_path / "new", tables)
    with pytest.raises(ValueError, match="no table 'b'"):
        pf.to_hepdata(tmp_path / "new", {"a": fit}, descriptions={"b": "?"})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("tables", ["limits", [1.0], {3: None}, {"a": "limits"}], ids=repr)
def test_what_is_no_result_by_its_name_is_refused(tables: Any, tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    with pytest.raises(TypeError, match="tables.* is of type .*; give"):
        pf.to_hepdata(tmp_path / "new", tables)
    assert not (tmp_path / "new").exists()


def test_a_root_file_has_histograms_matrices_and_limits(tmp_path: Path) -> None:
    uproot = pytest.importorskip("uproot")
    yields, limit = every.result_of("yields"), every.result_of("upper_limit")
    pf.to_root(tmp_path / "results.root", yields, limit)
    with uproot.open(tmp_path / "results.root") as file:
        for stage, band in (("prefit", yields.prefit), ("postfit", yields.postfit)):
            total = file[f"{stage}/SR/total"]
            np.testing.assert_allclose(total.values(), band.total, rtol=1e-15)
            np.testing.assert_allclose(total.errors(), band.total_error, rtol=1e-14)
            samples = [file[f"{stage}/SR/{name}"].values() for name in every.model().config.samples]
            np.testing.assert_allclose(samples, band.samples, rtol=1e-15)
        np.testing.assert_allclose(file["postfit/SR/data"].values(), [58.0, 63.0])
        np.testing.assert_allclose(file["correlation"].values(), yields.covariance.correlation, rtol=1e-15)
        parameters = file["parameters"].arrays(library="np")
        assert list(parameters["name"]) == every.model().config.par_names
        np.testing.assert_allclose(parameters["error"], yields.covariance.errors, rtol=1e-15)
        tree = file["limit"].arrays(library="np")
    np.testing.assert_allclose(tree["limit"], [*limit.expected, limit.observed], rtol=1e-15)
    np.testing.assert_allclose(tree["quantileExpected"], [0.025, 0.16, 0.5, 0.84, 0.975, -1], rtol=1e-6)


def test_what_has_no_form_in_root_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    pytest.importorskip("uproot")
    limit, fit = every.result_of("upper_limit"), every.result_of("fit")
    with pytest.raises(TypeError, match="A FitResult has no form in ROOT"):
        pf.to_root(tmp_path / "a.root", limit, fit)
    with pytest.raises(TypeError, match=r"results\[1\] is of type str"):
        pf.to_root(tmp_path / "a.root", limit, "fit")
    with pytest.raises(ValueError, match="limit would be written twice"):
        pf.to_root(tmp_path / "a.root", limit, limit)
    assert not list(tmp_path.iterdir())
