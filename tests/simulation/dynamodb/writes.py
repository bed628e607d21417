"""Writing to the simulated DynamoDB: conditions, updates, batches and transactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tests.simulation.dynamodb.calls import Answer, Calls, Request, names_of, values_of
from tests.simulation.dynamodb.errors import cancelled, condition_failed, refused
from tests.simulation.dynamodb.expressions import condition, update
from tests.simulation.dynamodb.storage import Key, Table, size_of
from tests.simulation.dynamodb.values import ExpressionError, Item, Scope

Planned = tuple[Table, Key, Item | None]

ITEM_BYTES: Final = 400 * 1024
MAX_ACTIONS: Final = 100


class Writes(Calls):
    """The operations that write."""

    def put_item(self, **request: Any) -> Answer:
        return self._write("PutItem", request, self._planned_put)

    def update_item(self, **request: Any) -> Answer:
        return self._write("UpdateItem", request, self._planned_update)

    def delete_item(self, **request: Any) -> Answer:
        return self._write("DeleteItem", request, self._planned_delete)

    def _write(self, operation: str, request: Request, plan: Callable[..., Planned]) -> Answer:
        def write() -> Answer:
            table, key, item = plan(self.table(request), request)
            old = table.get(key)
            if not self._met(request, old):
                told = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
                raise condition_failed(operation, old if told else None)
            self.database.write([(table, key, item)])
            wanted = request.get("ReturnValues", "NONE")
            told_item = {"ALL_OLD": old, "ALL_NEW": item}.get(wanted)
            return {} if told_item is None else {"Attributes": dict(told_item)}

        return self.call(operation, request, write)

    def batch_write_item(self, **request: Any) -> Answer:
        def write() -> Answer:
            left: dict[str, Any] = {}
            for name, asked in request["RequestItems"].items():
                out = self.weather.left_out(len(asked)) if self.weather else 0
                if out:
                    left[name] = asked[len(asked) - out :]
                table = self.table({"TableName": name})
                for one in asked[: len(asked) - out]:
                    put = "PutRequest" in one
                    plan = self._planned_put if put else self._planned_delete
                    self.database.write(
                        [plan(table, one.get("PutRequest") or one["DeleteRequest"])]
                    )
            return {"UnprocessedItems": left}

        return self.call("BatchWriteItem", request, write)

    def transact_write_items(self, **request: Any) -> Answer:
        token = request.get("ClientRequestToken") or f"token-{next(self.database.requests)}"

        def write() -> Answer:
            if token in self.database.tokens:
                return self.database.tokens[token]
            self._transact(request["TransactItems"])
            self.database.tokens[token] = {}
            return {}

        return self.call("TransactWriteItems", request, write)

    def _transact(self, actions: Sequence[Mapping[str, Any]]) -> None:
        plans = {"Put": self._planned_put, "Update": self._planned_update,
                 "Delete": self._planned_delete, "ConditionCheck": None}  # fmt: skip
        if not 1 <= len(actions) <= MAX_ACTIONS:
            raise refused("ValidationException", "TransactWriteItems", "1 to 100 actions")
        writes: list[Planned] = []
        touched: list[tuple[str, Key]] = []
        reasons: list[dict[str, Any]] = []
        for action in actions:
            ((kind, asked),) = action.items()
            table, plan = self.table(asked), plans[kind]
            key = table.keys.of(asked["Item"] if kind == "Put" else asked["Key"])
            touched.append((table.name, key))
            old = table.get(key)
            reason: dict[str, Any] = {"Code": "None"}
            if not self._met(asked, old):
                reason = {
                    "Code": "ConditionalCheckFailed",
                    "Message": "The conditional request failed",
                }
                if (
                    asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
                    and old is not None
                ):
                    reason["Item"] = dict(old)
            elif plan is not None:
                writes.append(plan(table, asked))
            reasons.append(reason)
        if len(set(touched)) < len(touched):
            raise refused("ValidationException", "TransactWriteItems", "one item, several actions")
        if any(reason["Code"] != "None" for reason in reasons):
            raise cancelled(reasons)
        self.database.write(writes)

    def _planned_put(self, table: Table, asked: Request) -> Planned:
        item = dict(asked["Item"])
        if size_of(item) > ITEM_BYTES:
            raise refused("ValidationException", "PutItem", "Item size has exceeded 400 KB")
        for keys in (table.keys, *table.indexes.values()):
            for name in keys.names:
                if item.get(name, {"S": "-"}) == {"S": ""}:
                    raise refused("ValidationException", "PutItem", f"the key {name} is empty")
        return table, table.keys.of(item), item

    def _planned_update(self, table: Table, asked: Request) -> Planned:
        key = table.keys.of(asked["Key"])
        old = table.get(key) or dict(asked["Key"])
        try:
            changes = update(asked["UpdateExpression"])(
                Scope(old, names_of(asked), values_of(asked))
            )
        except ExpressionError as error:
            raise refused("ValidationException", "UpdateItem", str(error)) from error
        merged = {**old, **{n: v for n, v in changes.items() if v is not None}}
        return table, key, {n: v for n, v in merged.items() if changes.get(n, v) is not None}

    def _planned_delete(self, table: Table, asked: Request) -> Planned:
        return table, table.keys.of(asked["Key"]), None

    def _met(self, asked: Request, old: Item | None) -> bool:
        expression = asked.get("ConditionExpression")
        if expression is None:
            return True
        return condition(expression)(Scope(old or {}, names_of(asked), values_of(asked)))
