"""Entity tags."""

from __future__ import annotations

import pytest

from api.preconditions import etag, is_known, wanted_versions


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        ('"7"', [7]),
        ('"7", "8"', [7, 8]),
        ('"7","8"', [7, 8]),
        ('W/"7"', []),
        ('W/"7", "8"', [8]),
        ('"07"', []),
        ('"0"', []),
        ('"x"', []),
        ("*", []),
        (f'"{"9" * 30}"', []),
    ],
)
def test_only_strong_tags_that_are_versions_can_match(header: str, versions: list[int]) -> None:
    assert wanted_versions(header) == versions


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (None, False),
        ('"7"', True),
        ('W/"7"', True),
        ('"6", "7"', True),
        ("*", True),
        ('"77"', False),
        ("7", False),
        ("", False),
    ],
)
def test_reads_compare_weakly(header: str | None, known: bool) -> None:
    assert is_known(header, 7) is known


def test_a_tag_is_the_version_in_quotes() -> None:
    assert etag(7) == '"7"'
