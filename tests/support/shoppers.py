"""Shoppers: clients that receive, order and ship, and remember every answer they got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from threading import Event
from typing import Any

from tests.support.servers import Answer, Client, Lost, Request, Server

ORDERS = "/v1/orders"
RECEIPTS = "/v1/receipts"


def receipt(key: str, units: dict[str, int]) -> Request:
    """Goods that come in."""
    lines = [{"sku": sku, "location": "main", "quantity": n} for sku, n in units.items()]
    return Request(RECEIPTS, {"lines": lines}, key)


def order(key: str, units: dict[str, int], **fields: str) -> Request:
    """An order of some units."""
    lines = [{"sku": sku, "quantity": n} for sku, n in units.items()]
    return Request(ORDERS, {"lines": lines, **fields}, key)


class Shopper:
    """One client. It lives longer than the servers it talks to.

    `told` holds every request that was answered, with the answer; `lost` the one that was not.
    It thinks for `pause` seconds before every request.
    """

    def __init__(self, name: str, skus: Sequence[str], pause: float = 0.0) -> None:
        self.told: list[tuple[Request, Answer]] = []
        self.lost: Request | None = None
        self._name = name
        self._skus = skus
        self._pause = pause
        self._random = Random(name)
        self._sent = 0
        self._to_ship: list[str] = []

    def shop(self, server: Server, stop: Event) -> None:
        """Send one request after the other until told to stop or cut off."""
        with Client(server) as client:
            while not stop.wait(self._pause):
                self.lost = self._wish()
                try:
                    self._settle(client)
                except Lost:
                    return

    def resolve(self, server: Server) -> None:
        """Send everything again: what was answered is answered alike, what was lost is settled."""
        with Client(server) as client:
            if self.lost is not None:
                self._settle(client)
            for request, answer in self.told:
                assert client.post(request) == answer._replace(replayed=True)

    def _settle(self, client: Client) -> None:
        request = self.lost
        assert request is not None
        answer = client.post(request)
        rejected = request.path == ORDERS and answer.status == 409 and "order_id" in answer.body
        assert answer.status == 201 or rejected, answer
        self.told.append((request, answer))
        self.lost = None
        if request.path == ORDERS and not rejected and answer.body["totals"]["reserved"]:
            self._to_ship.append(answer.body["order_id"])

    def _wish(self) -> Request:
        draw = self._random
        self._sent += 1
        key = f"{self._name}-{self._sent}"
        what = draw.random()
        if what < 0.3 and self._to_ship:
            return Request(f"{ORDERS}/{self._to_ship.pop()}/shipments", {}, key)
        units = {sku: draw.randint(1, 4) for sku in draw.sample(self._skus, draw.randint(1, 3))}
        if what < 0.5:
            return receipt(key, units)
        fields = {"policy": draw.choice(["all_or_nothing", "partial", "backorder"])}
        if draw.random() < 0.5:
            fields["order_id"] = key
        return order(key, units, **fields)


def recorded(shoppers: Sequence[Shopper]) -> set[tuple[str, int]]:
    """Streams and versions that the shoppers were told of."""
    refs = set()
    for shopper in shoppers:
        for _, answer in shopper.told:
            if "events" in answer.body:
                refs |= {(event["stream"], event["version"]) for event in answer.body["events"]}
            else:
                refs.add((f"order:{answer.body['order_id']}", answer.body.get("version", 1)))
    return refs


def moved(shoppers: Sequence[Shopper]) -> Counter[str]:
    """Units on hand of every SKU that the shoppers were told they brought, less those shipped."""
    units: Counter[str] = Counter()
    for request, answer in _told(shoppers):
        if request.path == RECEIPTS:
            units.update({line["sku"]: line["quantity"] for line in request.body["lines"]})
        elif request.path != ORDERS:
            units.subtract({line["sku"]: line["shipped"] for line in answer.body["lines"]})
    return units


def deeds(shoppers: Sequence[Shopper]) -> Counter[str]:
    """How many receipts (in lines), orders and shipments the shoppers were told of."""
    counts: Counter[str] = Counter()
    for request, _ in _told(shoppers):
        if request.path == RECEIPTS:
            counts["received"] += len(request.body["lines"])
        else:
            counts["ordered" if request.path == ORDERS else "shipped"] += 1
    return counts


def _told(shoppers: Sequence[Shopper]) -> list[tuple[Request, Any]]:
    return [one for shopper in shoppers for one in shopper.told]
