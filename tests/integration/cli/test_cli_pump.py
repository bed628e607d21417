"""`ledger pump` where it can't do its work; what it delivers is in `tests/integration/pump`."""

from __future__ import annotations

from uuid import uuid4

import pytest

from ledger.store.dynamodb_client import make_client
from ledger.store.tables import create_table_request
from tests.integration.cli.support import error_of, run
from tests.support.engines import Engines


def test_it_is_for_dynamodb() -> None:
    assert "name the tables with --store dynamodb:PREFIX" in error_of("pump")


def test_it_needs_the_tables(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", engines.endpoint("ministack"))
    line = error_of("pump", "--store", f"dynamodb:test-{uuid4().hex}")
    assert "`ledger tables create`" in line


def test_it_needs_the_stream(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", engines.endpoint("ministack"))
    prefix = f"test-{uuid4().hex}"
    client = make_client(engines.endpoint("ministack"))
    request = create_table_request(prefix, "events")
    del request["StreamSpecification"]
    client.create_table(**request)
    assert f"{prefix}-events has no stream" in error_of("pump", "--store", f"dynamodb:{prefix}")
    client.delete_table(TableName=f"{prefix}-events")
    client.close()


def test_webhooks_that_cant_be_used_are_said(
    engines: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", engines.endpoint("ministack"))
    monkeypatch.setenv("LEDGER_NOTIFY_WEBHOOKS", '[{"url": "nowhere"}]')
    store = f"dynamodb:test-{uuid4().hex}"
    run("tables", "create", "--store", store)
    for command in (("pump",), ("serve", "--pump", "--port", "0")):
        line = error_of(*command, "--store", store)
        assert "LEDGER_NOTIFY_WEBHOOKS can't be used" in line
    run("tables", "delete", "--yes", "--store", store)
