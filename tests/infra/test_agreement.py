"""What Terraform and the application must agree on, where neither sees the other."""

from __future__ import annotations

import re
from typing import Final

from ledger.store.tables import manifest
from projections.delivery.consumers import CONSUMERS
from projections.delivery.rules import rules
from tests.infra.loading import ROOT

PIPELINE: Final = ROOT / "terraform" / "modules" / "pipeline"


def _text(name: str) -> str:
    return (PIPELINE / name).read_text()


def test_every_consumer_has_a_rule_and_a_place_in_terraform() -> None:
    known = re.findall(r"^    (\w+) += \{ description =", _text("locals.tf"), re.MULTILINE)
    assert set(known) == set(rules()) == set(CONSUMERS)


def test_every_function_s_handler_is_there() -> None:
    consumers = [f"projections/handlers/{name}.py" for name in CONSUMERS]
    for path in ["api/lambda_handler.py", "projections/handlers/relay.py", *consumers]:
        assert re.search(r"^(def handler\(|handler = )", (ROOT / path).read_text(), re.MULTILINE)


def test_every_table_that_functions_are_let_near_exists() -> None:
    named = set(re.findall(r"local\.arn\.(\w+)", _text("access.tf")))
    views = re.search(r"views += \[(.*)\]", _text("access.tf"))
    assert views is not None
    named |= set(re.findall(r'"(\w+)"', views[1]))
    assert named - {"lease"} <= set(manifest())
    assert "pump" not in named


def test_metrics_that_alarms_watch_are_measured() -> None:
    alarms = (PIPELINE.parent / "observability" / "alarms.tf").read_text()
    watched = set(re.findall(r'namespace = "Ledger", metric = "(\w+)"', alarms))
    code = "".join(path.read_text() for path in (ROOT / "projections").rglob("*.py"))
    measured = set(re.findall(r'"([A-Z]\w+)"', code))
    # The API's: what it turns away, and the age of the lease.
    assert watched - {"Contention", "LeaseAge"} <= measured
