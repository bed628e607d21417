"""What is loaded is not searched for garbage; what comes later is."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from ledger.loading import loading


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_loaded_is_never_searched_and_what_comes_later_is() -> None:
    before = gc.get_freeze_count()
    with loading():
        assert not gc.isenabled()
        loaded = [object() for _ in range(9)]
    assert gc.get_freeze_count() > before
    assert not any(held is loaded for held in gc.get_objects())
    later = [loaded]
    assert any(held is later for held in gc.get_objects())
    assert gc.isenabled()


def test_garbage_is_looked_for_again_after_what_fails_to_load() -> None:
    with pytest.raises(RuntimeError), loading():
        raise RuntimeError
    assert gc.isenabled()
