"""What tests of compilation share."""

import pytest

from pyhf_func.compiled import plain


@pytest.fixture
def compiled_from_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is run by NumPy."""

    def refused(traced: object) -> None:
        raise plain.Unsupported

    monkeypatch.setattr(plain.Function, "of", refused)
