"""The library's published cases of projections, without `msgspec`.

Their module also holds cases of its DCB applications, which no recorder here serves; only those
need `msgspec`, a package the library doesn't even name among its extras.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType
from unittest.mock import patch

_absent = ModuleType("msgspec")
_absent.Struct = type("Struct", (), {})  # type: ignore[attr-defined]

with patch.dict(sys.modules, {} if find_spec("msgspec") else {"msgspec": _absent}):
    import eventsourcing.tests.projection as cases

AggregateEventCountersProjectionTestCase = cases.AggregateEventCountersProjectionTestCase
EventCountersView = cases.EventCountersView
EventCountersViewTestCase = cases.EventCountersViewTestCase
EventSourcedProjectionTestCase = cases.EventSourcedProjectionTestCase
