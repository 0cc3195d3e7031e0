"""Collections during long runs: new garbage goes, old objects stay, and afterwards all is as before."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from pyhf_func.core.collecting import old_objects_kept


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


class Cycle:
    def __init__(self) -> None:
        self.itself = self


def test_only_new_garbage_is_collected_in_the_block() -> None:
    before = weakref.ref(old := Cycle())
    del old
    with old_objects_kept():
        within = weakref.ref(Cycle())
        with old_objects_kept():  # one in another changes nothing
            gc.collect()
        assert within() is None
        assert before() is not None
    gc.collect()
    assert before() is None
    assert gc.get_freeze_count() == 0


def test_what_the_program_froze_stays_frozen() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    with old_objects_kept():
        assert gc.get_freeze_count() == frozen
    assert gc.get_freeze_count() == frozen > 0
