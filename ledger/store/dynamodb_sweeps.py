"""How far a sweep through all events has come: an item of the table `lease`, which has no replicas.

Whoever sweeps on taking the lease does it once in an epoch, over as many invocations as it takes.
The item `swept#NAME` holds the epoch and, until all is done, the progress of each part as JSON.
Every change is put on the condition that the item is still what it was: of two that sweep at the
same time one goes on, and nothing is ever moved back or taken over from another epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import IntegrityError
from pydantic_core import from_json, to_json

from ledger.store.dynamodb_client import translated
from ledger.store.segment_reader import Resume
from ledger.store.tables import full_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class SweepMoved(IntegrityError):
    """Somebody else went on with the sweep meanwhile."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one part of a sweep has come."""

    after: Resume | None = None
    """Behind which event the scan goes on; None: it has not begun, or `scanned` says that it
    is at its end."""
    scanned: bool = False
    left: Mapping[str, int] = field(default_factory=dict)
    """Streams it failed on, and up to which version: to be tried again."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self.scanned and not self.left


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is stored of a sweep. Epoch 0: there never was one."""

    epoch: int = 0
    turn: int = 0
    """How often it was put; whoever puts it next must have seen this one."""
    parts: Mapping[str, Progress] | None = None
    """The progress of parts that were begun; None: all of it is done."""

    def begun(self, epoch: int) -> Sweep:
        """What follows it when a new epoch begins."""
        return Sweep(epoch, self.turn + 1, {})

    def moved(self, part: str, progress: Progress) -> Sweep:
        """What follows it when a part has come further; that part stands last then."""
        others = {name: p for name, p in (self.parts or {}).items() if name != part}
        return replace(self, turn=self.turn + 1, parts={**others, part: progress})

    def done(self) -> Sweep:
        """What follows it when all is done."""
        return Sweep(self.epoch, self.turn + 1, None)


class SweepTable:
    """The item of one sweep. Reading it and putting it is all that is asked of the table."""

    def __init__(self, client: DynamoDBClient, prefix: str, name: str) -> None:
        self._client = client
        self._table = full_name(prefix, "lease")
        self._key = f"swept#{name}"

    def read(self) -> Sweep:
        """What is stored, read strongly."""
        with translated(f"reading {self._table}"):
            item = self._client.get_item(
                TableName=self._table, Key={"name": {"S": self._key}}, ConsistentRead=True
            ).get("Item")
        if item is None:
            return Sweep()
        turn = int(item["turn"]["N"]) if "turn" in item else 0
        parts = _parts(item["parts"]["S"]) if "parts" in item else None
        return Sweep(int(item["epoch"]["N"]), turn, parts)

    def put(self, sweep: Sweep, *, after: Sweep) -> Sweep:
        """Store what follows what was read; answers it.

        Raises
        ------
        SweepMoved
            What is stored is something else by now.
        """
        item: Any = {
            "name": {"S": self._key},
            "epoch": {"N": str(sweep.epoch)},
            "turn": {"N": str(sweep.turn)},
        }
        if sweep.parts is not None:
            item["parts"] = {"S": to_json(sweep.parts).decode()}
        with translated(f"writing {self._table}", writing=True):
            try:
                self._client.put_item(TableName=self._table, Item=item, **_still(after))
            except self._client.exceptions.ConditionalCheckFailedException as error:
                # The SDK may have sent it twice: then what stands is what we wanted.
                if self.read() != sweep:
                    msg = f"{self._key} was moved by somebody else meanwhile"
                    raise SweepMoved(msg) from error
        return sweep


def _still(sweep: Sweep) -> dict[str, Any]:
    """The condition that this is what is stored."""
    names = {"#e": "epoch", "#t": "turn"}
    if sweep.epoch == 0:
        return {
            "ConditionExpression": "attribute_not_exists(#e)",
            "ExpressionAttributeNames": {"#e": "epoch"},
        }
    values = {":e": {"N": str(sweep.epoch)}}
    turn = "attribute_not_exists(#t)"  # marked by hand (see the runbook), or by an older version
    if sweep.turn:
        turn, values[":t"] = "#t = :t", {"N": str(sweep.turn)}
    return {
        "ConditionExpression": f"#e = :e AND {turn}",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _parts(text: str) -> dict[str, Progress]:
    return {name: Progress(**progress) for name, progress in from_json(text).items()}
