"""What functions ask of AWS: every call by the right it takes, in IAM's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import boto3
import pytest

Right = tuple[str, str]
"""A table or its indexes (`orders/index`), and the action (`PutItem`); or `OTHER` services."""

OTHER: Final = "other"

CHECKED: Final = "ConditionCheckItem in a commit"
IN_A_COMMIT: Final = "PutItem in a commit"
"""With `dynamodb:EnclosingOperation` TransactWriteItems."""


class AwsCalls:
    """Watches every client that is made by `boto3.client` while it is watching."""

    def __init__(self, prefix: str) -> None:
        self._prefix = f"{prefix}-"
        self.rights: set[Right] = set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the clients that are made within, for as long as they live."""
        session = boto3.Session()
        session.events.register("provide-client-params.*.*", self._asked)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(boto3, "DEFAULT_SESSION", session)
            yield

    def taken(self) -> set[Right]:
        """The rights that were needed since the last call."""
        rights, self.rights = self.rights, set()
        return rights

    def _asked(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        if service == "dynamodb":
            self.rights.update(self._of_tables(model.name, params))
        else:
            self.rights.add((OTHER, f"{service}:{model.name}"))

    def _of_tables(self, operation: str, params: Mapping[str, Any]) -> Iterator[Right]:
        """The rights of one call; those of a transaction are those of what it consists of."""
        if operation == "TransactWriteItems":
            for action in params["TransactItems"]:
                ((kind, what),) = action.items()
                done = "ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item"
                yield self._table(what["TableName"]), f"{done} in a commit"
        elif operation in ("BatchGetItem", "BatchWriteItem"):
            for table in params["RequestItems"]:
                yield self._table(table), operation
        else:
            index = "/index" if "IndexName" in params else ""
            yield self._table(params["TableName"]) + index, operation

    def _table(self, name: str) -> str:
        return name.removeprefix(self._prefix)
