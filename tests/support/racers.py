"""One of several processes that buy a SKU until it is sold out; it prints how many it got.

`python -m tests.support.racers FILE SKU` begins when a line comes on its input.
"""

from __future__ import annotations

import sys
from itertools import count

from ledger.domain.order import OrderStatus
from ledger.errors import Contention
from ledger.service import Context, Ledger, OrderRequestLine, PlaceOrder
from ledger.store.sqlite import open_recorder


def main(file: str, sku: str) -> None:
    """Be one racer."""
    ledger = Ledger(open_recorder(file))
    print("ready", flush=True)
    sys.stdin.readline()
    bought = count()
    while True:
        try:
            outcome = ledger.handle(PlaceOrder((OrderRequestLine(sku, 1),)), Context())
        except Contention:
            continue
        assert outcome.order is not None
        if outcome.order.status is OrderStatus.REJECTED:
            break
        next(bought)
    print(next(bought), flush=True)
    ledger.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
