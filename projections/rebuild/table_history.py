"""The event table on DynamoDB, as a new generation of a view is filled from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from eventsourcing.persistence import OperationalError

from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.dynamodb_client import translated
from ledger.store.scanning import MAX_SEGMENTS, ScannedPage, scan_segment
from projections.generations import Single
from projections.rebuild.state import Segment
from projections.runner import Runner
from projections.store.base import ViewStore
from projections.views.base import View

PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds to wait before a page that could not be applied is applied again."""


class TableHistory:
    """The event table on DynamoDB, scanned in segments.

    A scan has no order between streams, and what comes while it runs is seen or not. What is not
    seen comes to somebody who knows the generation, if the scan begins late enough. A page may
    end within a stream, and its events may be in any order: the runner has the row, and fills
    gaps, so progress may be kept after any page.

    Parameters
    ----------
    page_items
        Events read at a time (default: what DynamoDB answers at once, 1 MB).
    """

    settles = True

    def __init__(
        self,
        recorder: DynamoDBLedgerRecorder,
        *,
        page_items: int | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._recorder = recorder
        self._page_items = page_items
        self._sleep = sleep

    def total(self) -> int:
        """As DynamoDB counted the table within the last six hours."""
        tables = self._recorder.tables
        with translated(f"describing {tables.events}"):
            return tables.client.describe_table(TableName=tables.events)["Table"]["ItemCount"]

    def begin(self, wanted: int) -> tuple[Segment, ...]:
        """As many segments as are wanted, each with a thread and a connection of its own."""
        return (Segment(),) * max(1, min(wanted, MAX_SEGMENTS))

    def fill(
        self, store: ViewStore, view: View[Any], number: int, segments: tuple[Segment, ...]
    ) -> Iterator[Segment]:
        """Scan the segment on from where it was; only this generation is written."""
        segment = segments[number]
        runner = Runner(self._recorder, store, [view], Single(store, view.generation))
        for page in scan_segment(
            self._recorder.tables,
            number,
            len(segments),
            resume=segment.resume,
            page_items=self._page_items,
        ):
            self._apply(runner, page)
            segment = Segment(segment.events + len(page.events), page.resume, page.resume is None)
            yield segment

    def finish(self, store: ViewStore, shown: View[Any], rebuilt: View[Any]) -> None:
        """Tell the freshness of what is shown now: whatever came since was applied to both."""
        store.save(rebuilt, [], store.checkpoint(shown))

    def _apply(self, runner: Runner, page: ScannedPage) -> None:
        """Apply a page, patiently."""
        for pause in (*PAUSES, None):
            failed = runner.apply(page.events).failed
            if not failed:
                return
            damaged = [e for e in failed.values() if not isinstance(e, OperationalError)]
            if damaged or pause is None:
                raise (damaged or list(failed.values()))[0]
            self._sleep(pause)
