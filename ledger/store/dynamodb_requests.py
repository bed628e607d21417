"""The body of a commit, written without botocore's model of it.

What a commit puts is in DynamoDB's wire format already, but for bytes. Yet botocore walks through
all of it three times beside its model: to check it, to find the tables in it, and to copy it. That
was a third of the client's work. Here the body is written down at once, and botocore is given the
least its model accepts instead. Everything else stays its own: endpoints, signatures, retries, and
every other hook.

`provide-client-params` and `before-call` are documented hooks (boto3's "Extensibility guide").
Where they are not called as expected, a commit goes out as botocore makes it, or DynamoDB refuses
it; never another one.
"""

from __future__ import annotations

from binascii import b2a_base64
from json import JSONEncoder
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_WRITTEN: Final = "ledger-written"


class Actions(list[dict[str, Any]]):
    """Actions of a transaction that need no checking: this package made them, from text, numbers
    written as text, and `bytes`.

    DynamoDB ignores a member whose name it doesn't know, be it a condition. What others made is a
    plain list, which botocore checks.
    """


def write_bodies(client: DynamoDBClient) -> None:
    """Let transactions of `Actions` go out as they are given."""
    events: Any = client.meta.events
    # The shortest name is called after longer ones, and its last handler last: what is written down
    # has the changes others made.
    events.register_last("provide-client-params", _write, unique_id="ledger-write-body")
    events.register_first("before-call.dynamodb.TransactWriteItems", _send)


def _write(
    params: dict[str, Any], context: dict[str, Any] | None = None, **_: Any
) -> dict[str, Any] | None:
    actions = params.get("TransactItems")
    if not isinstance(actions, Actions) or context is None:
        return None
    if any(":" in what["TableName"] for action in actions for what in action.values()):
        return None  # by the ARN of a table botocore may choose another endpoint
    # Else botocore adds it: what is sent twice with one token is done once.
    token = {"ClientRequestToken": params.get("ClientRequestToken") or str(uuid4())}
    least: dict[str, Any] = {"TransactItems": [{}], **token}
    context[_WRITTEN] = (_json(least).encode(), _json({**params, **token}).encode())
    return least


def _send(params: dict[str, Any], context: dict[str, Any] | None = None, **_: Any) -> None:
    written = (context or {}).pop(_WRITTEN, None)
    # Another handler may have answered with parameters of its own: then those were written.
    if written is not None and params["body"] == written[0]:
        params["body"] = written[1]


def _base64(value: object) -> str:
    if not isinstance(value, bytes):
        msg = f"DynamoDB stores no {type(value).__name__}"
        raise TypeError(msg)
    return b2a_base64(value, newline=False).decode()


_json: Final = JSONEncoder(default=_base64).encode
"""Written as botocore does: the bytes are the same."""
