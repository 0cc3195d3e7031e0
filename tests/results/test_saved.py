"""Saved results: one documented format, from which a fit goes on."""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import jax
import jsonschema
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.exceptions import InvalidDocument
from pyhf_func.results.base import KINDS, Result
from pyhf_func.results.documents import schema
from pyhf_func.results.tables import Table
from tests.results.every import VERBS, data, model, result_of, workspace


def same(one: Any, other: Any) -> None:
    """The same leaves, with their types, and the same static parts."""
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for left, right in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        if isinstance(left, str):
            assert left == right
        else:
            np.testing.assert_array_equal(np.asarray(left), np.asarray(right), strict=True)


@pytest.mark.parametrize("verb", VERBS)
def test_every_result_comes_back_and_a_fit_goes_on_from_it_at_once(verb: str, tmp_path: Path) -> None:
    result, path = result_of(verb), tmp_path / "result.json"
    result.save(path)
    again = pf.load(path)
    same(again, result)
    assert again.about == result.about
    assert str(again.status) == str(result.status)
    fit = pf.fit(data(), model(), init=again)
    np.testing.assert_allclose(fit.pars, result_of("fit").pars, atol=1e-7)
    assert int(fit.iterations) <= 1
    assert [*tmp_path.iterdir()] == [path]


def parts_of(result: Any) -> Iterator[Result]:
    """A result with all that stand in its fields."""
    if isinstance(result, Result):
        yield result
        result = tuple(getattr(result, name) for name in result._fields)
    if isinstance(result, tuple):
        for field in result:
            yield from parts_of(field)


def test_every_class_of_results_has_all_that_results_have(tmp_path: Path) -> None:
    """No class can be forgotten: neither one that is public, nor one that a verb returns in a field of another."""
    made = {type(part): part for verb in (*VERBS, "grid") for part in parts_of(result_of(verb))}
    assert {*made} == {*KINDS.values()}
    for kind, result in made.items():
        assert result.summary().startswith(kind.__name__)
        assert len(result.table()) == len(result.table().to_csv().splitlines()) - 1
        assert "<td>" in result._repr_html_()
        result.save(tmp_path / "result.json")
        same(pf.load(tmp_path / "result.json"), result)
        assert pf.load(tmp_path / "result.json").summary() == result.summary()


PUBLIC = {name: getattr(pf, name) for name in dir(pf)}
VERB_NAMES = [name for name, one in PUBLIC.items() if inspect.isfunction(one) and "pyhf_func.verbs." in one.__module__]
"""All public verbs, by where they live."""


@pytest.mark.parametrize("verb", VERB_NAMES)
def test_every_verb_returns_a_result(verb: str) -> None:
    """A new verb can't return something that has no names and no file."""
    assert issubclass(get_type_hints(inspect.unwrap(getattr(pf, verb)))["return"], Result)


def test_a_grid_comes_back(tmp_path: Path) -> None:
    grid = result_of("grid")
    assert (grid.about["verb"], grid.about["measurement"], grid.about["settings"]["mu"]) == ("grid", "search", 1.0)
    assert grid.about["digest"] == f"sha256:{pf.utils.digest(workspace())}"
    grid.save(tmp_path / "grid.json")
    again = pf.load(tmp_path / "grid.json")
    same(again, grid)
    assert again.rows() == grid.rows()
    assert again.about == grid.about
    assert again.table().rows[0]["name"] == "m1"


@pytest.mark.parametrize("verb", VERBS)
def test_documents_follow_the_schema_that_is_shipped(verb: str) -> None:
    document = json.loads(result_of(verb).to_json(), parse_constant=pytest.fail)
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(document, schema())
    assert document["kind"] == type(result_of(verb)).__name__
    assert document["about"]["digest"] == f"sha256:{pf.utils.digest(workspace())}"
    assert [one["name"] for one in document["names"]["parameters"]] == ["mu", "gamma"]


def test_numbers_that_json_lacks_are_null_or_words_and_come_back(tmp_path: Path) -> None:
    result = result_of("fit")._replace(twice_nll=np.float64(np.nan), edm=np.float32(-np.inf), status=np.int32(5))
    document = result.to_dict()
    assert (document["content"]["twice_nll"], document["content"]["edm"]) == (None, "-inf")
    assert document["content"]["status"] == "STALLED"
    result.save(tmp_path / "x.json")
    same(pf.load(tmp_path / "x.json"), result)


def test_toys_are_read_from_both_of_their_formats(tmp_path: Path) -> None:
    toys = result_of("toys")
    toys.save(tmp_path / "toys.npz")
    np.testing.assert_array_equal(pf.load(tmp_path / "toys.npz").teststats_b, toys.teststats_b)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: d.pop("content"), "content"),
        (lambda d: d.update(kind="Result5"), "kind"),
        (lambda d: d.update(format="another"), "another"),
        (lambda d: d["names"].pop("poi"), "names"),
        (lambda d: d["types"].update(pars=["object", [3]]), "types"),
        (lambda d: d["content"].pop("pars"), "pars"),
        (lambda d: d["content"].update(pars=[1.0]), "damaged"),
        (lambda d: d["content"].update(status="FINE"), "FINE"),
    ],
)
def test_a_damaged_document_is_refused_with_the_place(change: Any, place: str, tmp_path: Path) -> None:
    document, path = json.loads(result_of("fit").to_json()), tmp_path / "result.json"
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(InvalidDocument, match=place):
        pf.load(path)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "1", "[" * 100_000])
def test_what_is_no_result_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(InvalidDocument, match="x.json"):
        pf.load(tmp_path / "x.json")


@pytest.mark.parametrize("verb", VERBS)
def test_summaries_have_the_status_and_the_numbers(verb: str) -> None:
    result = result_of(verb)
    assert result.summary().startswith(f"{type(result).__name__}: CONVERGED. ")
    assert "<td>" in result._repr_html_()
    assert len(result.table()) == result.table().to_text().count("\n") - 1


def test_the_summary_of_a_batch_has_a_row_for_each_member() -> None:
    rows = result_of("scan").conditional_fit.table().rows
    assert [(row["member"], row["parameter"]) for row in rows[::3]] == [("0", "mu"), ("1", "mu"), ("2", "mu")]
    assert rows[3]["value"] == 1.0


def test_tables_hold_names_of_every_kind() -> None:
    """Nothing in a name is markup."""
    table = Table([{"name": r"<b> & 50% | $\x_1 ^~{#}", "value": 1.0}])
    assert (
        r"\textless{}b\textgreater{} \& 50\% | \$\textbackslash{}x\_1 \textasciicircum{}\textasciitilde{}\{\#\} & 1"
        in table.to_latex()
    )
    assert "&lt;b&gt; &amp; 50%" in table.to_html()
    assert r"<b> & 50% \| $" in table.to_markdown()


def test_a_table_of_yields_adds_up_and_has_all_layouts() -> None:
    table = result_of("yields").table()
    cells = {row["sample"]: row for row in table.rows}
    assert [*cells] == ["background", "signal", "total", "data"]
    np.testing.assert_allclose(cells["signal"]["postfit"] + cells["background"]["postfit"], cells["total"]["postfit"])
    assert cells["data"]["prefit"] == 121.0
    assert cells["data"]["prefit_error"] is None
    assert cells["total"]["prefit"] == 125.0
    np.testing.assert_allclose(cells["background"]["prefit_error"], np.hypot(3.0, 7.0))
    assert "| SR | background | 102.0 ± 7.6 |" in table.to_markdown()
    assert r"102.0 $\pm$ 7.6" in table.to_latex()
    assert table.to_csv().splitlines()[0] == "channel,sample,prefit,prefit_error,postfit,postfit_error"
    by_bin = result_of("yields").table(bins=True).rows
    np.testing.assert_allclose([row["prefit_error"] for row in by_bin if row["sample"] == "background"], [3.0, 7.0])
    assert [row["prefit"] for row in by_bin if row["sample"] == "data"] == [58.0, 63.0]
