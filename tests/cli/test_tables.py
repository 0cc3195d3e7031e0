"""``pyhf-func gof``, ``yields`` and ``correlation``: the verbs' numbers, as JSON and as tables."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.cli.main import SECTIONS
from pyhf_func.results import tables as result_tables
from tests.cli.studies import EMPTY_BIN, SPEC, command_of, refused, run, values, written

COMMANDS = ("gof", "yields", "correlation")
WITHOUT_PICTURE = ("intervals", "impacts")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return written(tmp_path / "workspace.json", SPEC)


@pytest.fixture(scope="module")
def model() -> Any:
    return pf.Workspace(SPEC).model()


@pytest.fixture(scope="module")
def found(model: Any) -> pf.YieldsResult:
    return pf.yields(pf.Workspace(SPEC).data(model), model)


def close(expected: Any) -> Any:
    return pytest.approx(np.asarray(expected).tolist(), rel=1e-9, abs=1e-12)


def table(result: Any) -> list[dict[str, str]]:
    assert result.exit_code == 0, (result.stderr, result.exception)
    return list(csv.DictReader(io.StringIO(result.stdout)))


@pytest.mark.slow
def test_goodness_of_fit(workspace: Path, model: Any, tmp_path: Path) -> None:
    picture = tmp_path / "gof.svg"
    written_down = values(run("gof", workspace, "--plot", picture))
    expected = pf.goodness_of_fit(pf.Workspace(SPEC).data(model), model)
    for name in ("statistic", "degrees_of_freedom", "p_value"):
        assert written_down[name] == close(getattr(expected, name))
    assert (written_down["status"], written_down["about"]["command"]) == ("CONVERGED", "gof")
    assert "<svg" in picture.read_text()
    [row] = table(run("gof", workspace, "--format", "csv"))
    assert float(row["p_value"]) == close(expected.p_value)


@pytest.mark.slow
def test_yields(workspace: Path, model: Any, found: pf.YieldsResult, tmp_path: Path) -> None:
    picture = tmp_path / "yields.png"
    [channel] = values(run("yields", workspace, "--plot", picture, "--stage", "prefit"))["channels"]
    assert channel["observed"] == [56.0, 58.0]
    for stage in ("prefit", "postfit"):
        band, shown = getattr(found, stage), channel[stage]
        assert (shown["total"], shown["total_error"]) == (close(band.total), close(band.total_error))
        for i, sample in enumerate(model.config.samples):
            assert shown["samples"][sample]["yield"] == close(band.samples[i])
            assert shown["samples"][sample]["error"] == close(band.samples_error[i])
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_table_of_yields_holds_sums_with_their_correlations(workspace: Path, found: pf.YieldsResult) -> None:
    rows = {row["sample"]: row for row in table(run("yields", workspace, "--format", "csv"))}
    assert float(rows["total"]["postfit"]) == close(found.postfit.channels[0])
    assert float(rows["total"]["postfit_error"]) == close(found.postfit.channels_error[0])
    assert (float(rows["data"]["prefit"]), rows["data"]["prefit_error"]) == (114.0, "")
    assert list(rows) == ["background", "signal", "total", "data"]


@pytest.mark.slow
def test_correlation(workspace: Path, model: Any, found: pf.YieldsResult, tmp_path: Path) -> None:
    picture = tmp_path / "correlation.png"
    written_down = values(run("correlation", workspace, "--plot", picture))
    expected = found.covariance
    assert written_down["parameters"] == model.config.par_names
    assert written_down["correlation"] == [close(row) for row in expected.correlation]
    assert written_down["errors"] == close(expected.errors)
    rows = table(run("correlation", workspace, "--format", "csv", "--least", 0.0))
    sizes = [abs(float(row["correlation"])) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    assert len(rows) == 3
    strong = table(run("correlation", workspace, "--format", "csv", "--least", sizes[1]))
    assert [row["with"] for row in strong] == [row["with"] for row in rows[:2]]
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_tables_are_text_and_latex_too(workspace: Path, tmp_path: Path) -> None:
    text = run("gof", workspace, "--format", "table").stdout.splitlines()
    assert [len(line.split()) for line in text] == [3, 3]
    target = tmp_path / "table.tex"
    run("gof", workspace, "--format", "latex", "--output-file", target)
    latex = target.read_text()
    assert latex.startswith(r"\begin{tabular}{rrr}")
    assert latex.count(r"\\") == len(text)


@pytest.mark.slow
def test_intervals(workspace: Path, model: Any) -> None:
    data = pf.Workspace(SPEC).data(model)
    expected = pf.intervals(data, model, "mu", confidence=0.9)
    [mu] = values(run("intervals", workspace, "--confidence", 0.9))["intervals"]
    assert mu["name"] == "mu"
    for name in ("best", "lower", "upper"):
        assert mu[name] == close(getattr(expected, name)[0])
    assert mu["error"] == close(expected.covariance.errors[0])
    assert (mu["at_bound"], mu["status"]) == (expected.at_bound[0].tolist(), ["CONVERGED", "CONVERGED"])
    rows = table(run("intervals", workspace, "--parameter", "rate", "--parameter", "mu", "--format", "csv"))
    assert [row["name"] for row in rows] == ["rate", "mu"]
    assert len(table(run("intervals", workspace, "--all", "--format", "csv"))) == 3
    assert "did you mean" in refused(run("intervals", workspace, "--parameter", "rat"))


def test_impacts_of_groups(workspace: Path, model: Any) -> None:
    data = pf.Workspace(SPEC).data(model)
    expected = pf.group_impacts(data, model, {"theory": ["rate"]})
    written_down = values(run("impacts", workspace, "--group", "theory=rate"))
    assert [one["group"] for one in written_down["groups"]] == ["data statistics", "theory", "other systematics"]
    for one, ours in zip(written_down["groups"], expected.groups, strict=True):
        assert (one["impact"], one["component"]) == (close(ours.impact), close(ours.component))
        assert tuple(one["parameters"]) == ours.parameters
    assert written_down["closure"]["component"] == close(expected.component_closure)
    rows = table(run("impacts", workspace, "--group", "theory=rate", "--format", "csv"))
    assert [row["group"] for row in rows[-2:]] == ["in quadrature", "total"]
    assert float(rows[-1]["impact"]) == close(written_down["poi"]["error"])
    assert "no parameter matches 'JES_*'" in refused(run("impacts", workspace, "--group", "JES_*"))


def test_impacts_use_the_groups_of_the_document(tmp_path: Path) -> None:
    groups = {"theory": ["the_rate"], "elsewhere": ["gone"]}
    document = {**SPEC, "metadata": {"groups": groups, "foreign_names": {"the_rate": "rate"}}}
    found = values(run("impacts", written(tmp_path / "w.json", document)))
    assert [one["group"] for one in found["groups"]] == ["data statistics", "theory", "other systematics"]


@pytest.mark.slow
@pytest.mark.parametrize("command", [*COMMANDS, *WITHOUT_PICTURE])
def test_a_fit_that_fails_is_an_error(command: str, workspace: Path, tmp_path: Path) -> None:
    patch = written(tmp_path / "patch.json", EMPTY_BIN)
    picture = () if command in WITHOUT_PICTURE else ("--plot", tmp_path / "none.png")
    result = run(command, workspace, "-p", patch, *picture)
    assert refused(result).endswith(f"Error: {pf.Status.NOT_FINITE.sentence}\n")
    assert result.stdout == ""
    assert not (tmp_path / "none.png").exists()


def test_every_command_that_computes_writes_tables() -> None:
    for name in SECTIONS["Statistics"]:
        [option] = [one for one in command_of(name).params if one.name == "layout"]
        assert option.type.choices == ("json", "table", "csv", "latex")


def test_fits_and_tests_are_tables_too(workspace: Path, tmp_path: Path) -> None:
    rows, found = table(run("cls", workspace, "--format", "csv")), values(run("cls", workspace))
    assert [float(row["CLs"]) for row in rows] == close([found["CLs_obs"], *found["CLs_exp"]])
    rows, found = table(run("fit", workspace, "--report", "--format", "csv")), values(run("fit", workspace, "--report"))
    assert [row["parameter"] for row in rows] == found["parameters"]
    for column, name in (("value", "mle_parameters"), ("error", "errors")):
        assert {row["parameter"]: [float(row[column])] for row in rows} == found[name]
    assert "error" not in table(run("fit", workspace, "--format", "csv"))[0]


def test_toys_are_tables_too(workspace: Path, tmp_path: Path) -> None:
    toys = tmp_path / "toys.npz"
    found = values(run("toys", workspace, "--ntoys", 50, "--checkpoint", toys))
    for command in (("toys", workspace, "--ntoys", 50, "--checkpoint", toys), ("toys-merge", toys)):
        rows = table(run(*command, "--format", "csv"))
        assert [float(row["CLs"]) for row in rows] == close([found["CLs_obs"], *found["CLs_exp"]])
        assert float(rows[0]["CLb_error"]) == close(found["CLb_obs_error"])
        assert rows[1]["CLb_error"] == ""


def test_an_unknown_channel_is_refused(workspace: Path) -> None:
    for option in ("--channel", "--blind"):
        assert "no channel 'VR'. The model has region." in refused(run("yields", workspace, option, "VR"))


@pytest.mark.slow
def test_no_degrees_of_freedom_give_no_p_value(tmp_path: Path) -> None:
    spec = json.loads(json.dumps(SPEC))
    for sample in spec["channels"][0]["samples"]:
        sample["modifiers"].append({"name": f"free_{sample['name']}", "type": "normfactor", "data": None})
    workspace = written(tmp_path / "free.json", spec)
    assert values(run("gof", workspace))["p_value"] is None
    assert run("gof", workspace, "--format", "table").stdout.split()[-1] == "-"
    assert "can't be drawn" in refused(run("gof", workspace, "--plot", tmp_path / "gof.png"))


@pytest.mark.slow
def test_limits_and_significances_are_tables_too(workspace: Path) -> None:
    for command, column, observed in (("limit", "limit", "limit_obs"), ("discovery", "z", "z_obs")):
        rows = table(run(command, workspace, "--format", "csv"))
        written_down = values(run(command, workspace))
        assert [row["data"] for row in rows][:2] == ["observed", "expected -2 sigma"]
        numbers = [float(row[column]) for row in rows]
        assert numbers == close([written_down[observed], *written_down[observed.replace("obs", "exp")]])
        assert {row["status"] for row in rows} == {"CONVERGED"}


@pytest.mark.slow
def test_scans_and_rankings_are_tables_too(workspace: Path) -> None:
    mus = ["--range", "0", "3", "41"]
    rows, points = (
        table(run("scan", workspace, *mus, "--format", "csv")),
        values(run("scan", workspace, *mus))["points"],
    )
    assert [float(row["CLs_exp+1"]) for row in rows] == close([point["CLs_exp"][3] for point in points])
    assert [float(row["CLs_obs"]) for row in rows] == close([point["CLs_obs"] for point in points])
    rows, found = table(run("ranking", workspace, "--format", "csv")), values(run("ranking", workspace))["parameters"]
    assert [row["name"] for row in rows] == [one["name"] for one in found]
    assert [float(row["postfit_up"]) for row in rows] == close([one["postfit_up"] for one in found])


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0"), (1.0, "1.000"), (-0.01234, "-0.01234"), (123456.7, "123457"), (3.2e-9, "3.200e-09"), (None, "-")],
)
def test_numbers_in_tables_have_four_digits(number: float | None, text: str) -> None:
    assert result_tables.short(number) == text


def test_names_are_escaped_in_latex() -> None:
    assert result_tables.latex([{"a_b": r"50% & $x$"}]) == (
        "\\begin{tabular}{l}\na\\_b \\\\\n\\hline\n50\\% \\& \\$x\\$ \\\\\n\\end{tabular}\n"
    )


@pytest.mark.slow
def test_plots_use_the_metadata_of_a_file(workspace: Path, tmp_path: Path) -> None:
    said = {
        "energy": 13,
        "luminosity": 139,
        "axes": {"region": [{"title": "mass", "unit": "GeV", "edges": [0, 5, 10]}]},
    }
    metadata, picture = written(tmp_path / "metadata.json", said), tmp_path / "yields.svg"
    assert run("yields", workspace, "--plot", picture, "--metadata", metadata).exit_code == 0
    assert "<!-- mass [GeV] -->" in picture.read_text()


@pytest.mark.parametrize("said", ["[]", '{"labels": 1}', '{"axes": {"SR": "m"}}', '{"energy": "high"}', "{"])
def test_metadata_of_another_layout_are_refused_before_anything_is_computed(
    said: str, workspace: Path, tmp_path: Path
) -> None:
    metadata = tmp_path / "metadata.json"
    metadata.write_text(said)
    for command in ("yields", "fit"):
        assert "metadata.json" in refused(run(command, workspace, "--plot", tmp_path / "a.png", "--metadata", metadata))
