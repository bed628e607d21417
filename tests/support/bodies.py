"""Transactions are checked beside botocore's model of them, though their client does not do it."""

from __future__ import annotations

import json
from typing import Any

from botocore.validate import ParamValidator


def check_bodies(client: Any) -> None:
    """Fail the test when this client sends a transaction that botocore would not have sent."""
    client.meta.events.register_last(
        "before-call.dynamodb.TransactWriteItems", _check, unique_id="check-bodies"
    )


def _check(params: dict[str, Any], model: Any, **_: Any) -> None:
    request = json.loads(params["body"])
    report = ParamValidator().validate(request, model.input_shape)
    assert not report.has_errors(), report.generate_report()
    assert all(request["TransactItems"]), "the body was not put in its place"
