"""ETags are stream versions: `If-Match` on changes, `If-None-Match` on reads (RFC 9110, 13)."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import Header

_TAG: Final = re.compile(r'(W/)?"([^"]*)"')
TAGS_PATTERN: Final = r'^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$'
_VERSION: Final = re.compile(r"[1-9][0-9]{0,14}")

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=TAGS_PATTERN,
        max_length=500,
        description=(
            'The version the change is meant for, as `ETag` gave it (`"7"`); another answers 412. '
            "`*` stands for any version, several tags for any of them; weak tags never match."
        ),
        examples=["*"],
    ),
]

IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        max_length=500,
        description='Versions the client has (`"7"`, or `*`): if one is current, 304 is answered.',
        examples=['"0"'],
    ),
]


def etag(version: int) -> str:
    """The strong entity tag of a stream version."""
    return f'"{version}"'


def wanted_versions(if_match: str) -> list[int]:
    """Versions of a header's strong tags, in its order. What is no version can't match."""
    tags = _TAG.findall(if_match)
    return [int(tag) for weak, tag in tags if not weak and _VERSION.fullmatch(tag)]


def is_known(if_none_match: str | None, version: int) -> bool:
    """Whether the client has this version already (weak comparison)."""
    if if_none_match is None:
        return False
    tags = [tag for _, tag in _TAG.findall(if_none_match)]
    return if_none_match.strip() == "*" or str(version) in tags
