"""Reading a whole table: one page after the other of one of its segments, patiently."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from eventsourcing.persistence import OperationalError

from ledger.store.dynamodb_client import translated
from ledger.store.dynamodb_items import PURPOSE
from ledger.store.dynamodb_tables import DynamoDBTables

PATIENCE_SECONDS: Final = 30.0
"""How long one page is asked for again while DynamoDB is too busy or does not answer."""

BACKOFF_BASE_SECONDS: Final = 0.05
BACKOFF_CAP_SECONDS: Final = 2.0

Resume = Mapping[str, Any]
"""Where a segment goes on: an `ExclusiveStartKey`, plain JSON values. It belongs to its segment
of that number of segments, and to no other."""


class SegmentReader:
    """Reads single pages of a table's segments, until it is stopped. Many threads may use it.

    Parameters
    ----------
    page_items
        At most so many items are read for a page; None leaves it to DynamoDB (1 MB).
    """

    def __init__(
        self,
        tables: DynamoDBTables,
        table: str,
        segments: int,
        page_items: int | None,
        consistent: bool,
    ) -> None:
        self._table = table
        # What lies in a table for another purpose (snapshots of other applications) says so, and
        # is named so: a mark on an event of the ledger does not hide it.
        request: dict[str, Any] = {
            "TableName": table,
            "TotalSegments": segments,
            "ConsistentRead": consistent,
            "FilterExpression": "attribute_not_exists(#p) OR NOT contains(#s, :mark)",
            "ExpressionAttributeNames": {"#p": PURPOSE, "#s": "stream"},
            "ExpressionAttributeValues": {":mark": {"S": "#"}},
        }
        if page_items is not None:
            request["Limit"] = page_items
        self._scan = partial(tables.client.scan, **request)
        self._stopped = threading.Event()

    def read(
        self, segment: int, resume: Resume | None
    ) -> tuple[Sequence[Mapping[str, Any]], Resume | None]:
        """The items of one page, and where to go on behind it (None: the segment's end).

        A read can be repeated: it is, while DynamoDB is busy or silent.

        Raises
        ------
        Contention, OperationalError
            DynamoDB was busy or silent for `PATIENCE_SECONDS`.
        ProgrammingError, InterfaceError
            The table is missing, or can't be read by us.
        """
        where: Any = {} if resume is None else {"ExclusiveStartKey": resume}
        deadline, longest = time.monotonic() + PATIENCE_SECONDS, BACKOFF_BASE_SECONDS
        while True:
            try:
                with translated(f"scanning {self._table}"):
                    answer = self._scan(Segment=segment, **where)
                return answer["Items"], answer.get("LastEvaluatedKey")
            except OperationalError:
                pause = random.uniform(0, longest)  # noqa: S311 - jitter, not a secret
                if time.monotonic() + pause > deadline or self._stopped.wait(pause):
                    raise
                longest = min(BACKOFF_CAP_SECONDS, 2 * longest)

    def stop(self) -> None:
        """Let reads that wait for their next try fail at once."""
        self._stopped.set()
