"""Reading an envelope and the event in it in one pass over the bytes.

Whoever folds events wants every one of them whole. Making values of the JSON first and an event of
the values then takes half as long again, and both times are most of a replay.
"""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import Final

from eventsourcing.persistence import StoredEvent
from pydantic import ValidationError
from pydantic_core import SchemaValidator, core_schema

from ledger.codec import Recorded, decode
from ledger.domain.events import CATALOGUE

_Members = tuple[str, int, str, str, str, str, str, int, str, str]
_members: Final = itemgetter(
    "type", "schema", "id", "at", "command", "actor", "region", "size", "prev", "hash"
)
"""The members of an envelope in the order that `Recorded` has them in."""


def decode_event(stored: StoredEvent) -> Recorded:
    """What `decode` answers, for those who want the `event`: it is read in the same pass.

    Nothing is told otherwise. What one pass can't read (another schema than today's, an unknown
    type, data that doesn't fit) is left to `decode`, and to whoever asks for the event.

    Raises
    ------
    CorruptEvent
        The bytes are not an envelope.
    """
    reader = _reader(stored.topic)
    if reader is None:
        return decode(stored)
    state = stored.state
    try:
        read = reader.validate_json(state)
    except ValidationError:
        return decode(stored)
    stream, version = str(stored.originator_id), stored.originator_version
    members: _Members = _members(read)
    return Recorded(stream, version, *members, None, read["data"], state)


@lru_cache(maxsize=128)
def _reader(topic: str) -> SchemaValidator | None:
    """Reads envelopes of one type in today's schema; None if the type is unknown."""
    kind = CATALOGUE.get(topic)
    if kind is None:
        return None
    text, today = core_schema.str_schema(strict=True), kind.schema_version
    members = dict.fromkeys(("id", "at", "command", "actor", "region", "prev", "hash"), text)
    fields: dict[str, core_schema.CoreSchema] = {
        "type": core_schema.literal_schema([topic]),
        "schema": core_schema.int_schema(strict=True, ge=today, le=today),
        "size": core_schema.int_schema(strict=True),
        "data": kind.__pydantic_core_schema__,
        **members,
    }
    envelope = core_schema.typed_dict_schema(
        {name: core_schema.typed_dict_field(schema) for name, schema in fields.items()},
        extra_behavior="ignore",
    )
    return SchemaValidator(envelope, core_schema.CoreConfig(cache_strings="keys"))
