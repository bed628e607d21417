"""`ledger schemas`: the JSON Schema of every event, envelope included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ledger.cli.output import err, guarded
from ledger.domain.events import CATALOGUE, Event

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_HASH: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_ENVELOPE: Final[dict[str, Any]] = {
    "id": {"type": "string", "format": "uuid", "description": "UUIDv7 of the event"},
    "at": {
        "type": "string",
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$",
        "description": "when it was recorded, UTC in microseconds; later than the event before it",
    },
    "command": {
        "type": "string",
        "format": "uuid",
        "description": "UUIDv7 of the command whose commit it is",
    },
    "actor": {"type": "string", "description": "who asked"},
    "region": {"type": "string", "description": "where it was recorded"},
    "size": {"type": "integer", "minimum": 1, "description": "how many events the commit holds"},
    "prev": {
        "type": "string",
        "pattern": "^([0-9a-f]{64})?$",
        "description": "hash of the event before it in its stream; empty for the first",
    },
    "hash": {**_HASH, "description": "SHA-256 that seals the envelope to its stream and version"},
}


@guarded
def schemas(
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, help="Write one file per event here, TYPE.SCHEMA.json, instead."
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of every event as it is stored, envelope and data.

    - `ledger schemas` — all of them, one JSON object by event type
    - `ledger schemas --out schemas` — one file each, such as StockReceived.2.json

    Exit codes: 0 written; 2 the folder can't be used.
    """
    if out is None:
        every = {name: schema_of(kind) for name, kind in sorted(CATALOGUE.items())}
        typer.echo(json.dumps(every, indent=2))
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, kind in sorted(CATALOGUE.items()):
        path = out / f"{name}.{kind.schema_version}.json"
        path.write_text(json.dumps(schema_of(kind), indent=2) + "\n", encoding="utf-8")
    err().print(f"{len(CATALOGUE)} schemas written to {out}")


def schema_of(kind: type[Event]) -> dict[str, Any]:
    """JSON Schema of the stored envelope of an event. Members added later are allowed."""
    data = kind.model_json_schema(ref_template="#/$defs/{model}")
    definitions = data.pop("$defs", {})
    properties = {
        "type": {"const": kind.name},
        "schema": {"const": kind.schema_version},
        **_ENVELOPE,
        "data": data,
    }
    return {
        "$schema": DIALECT,
        "title": f"{kind.name} {kind.schema_version}",
        "description": data.get("description", ""),
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "$defs": definitions,
    }
