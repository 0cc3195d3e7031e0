"""Results as data frames and datasets."""

import numpy as np
import pytest

from tests.results.every import VERBS, result_of

pytest.importorskip("pandas", reason="pandas is not installed")


@pytest.mark.parametrize("verb", VERBS)
def test_a_data_frame_has_the_rows_of_the_table(verb: str) -> None:
    frame = result_of(verb).to_pandas()
    assert len(frame) == (20 if verb == "toys" else len(result_of(verb).table()))


def test_datasets_span_what_was_scanned() -> None:
    pytest.importorskip("xarray", reason="xarray is not installed")
    scan, profile, toys = (result_of(verb).to_xarray() for verb in ("scan", "profile", "toys"))
    np.testing.assert_array_equal(scan["mu"], [0.5, 1.0, 1.5])
    np.testing.assert_array_equal(scan["CLs"], result_of("scan").cls)
    assert profile["ratio"].dims == ("mu", "gamma[1]")
    np.testing.assert_array_equal(profile["ratio"], result_of("profile").ratio)
    np.testing.assert_array_equal(toys["teststats_b"].sel(toy=7), result_of("toys").teststats_b[7])
    impacts = result_of("impacts").to_xarray()
    assert float(impacts["postfit_up"].sel(parameter="gamma[0]")) in result_of("impacts").postfit_up.tolist()
    assert result_of("yields").to_xarray()["postfit"].dims == ("channel", "sample")
