"""The floor an order is measured against: a bare route that inserts five rows in one transaction.

Three positions, an order and a command record are five rows; so are these. Same server, same file
settings (WAL, synchronous=FULL), same size of rows, nothing decided, nothing checked.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import uuid
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel


class Line(BaseModel):
    sku: str
    quantity: int


class Order(BaseModel):
    lines: list[Line]


app = FastAPI()
writing = threading.Lock()
db = sqlite3.connect(
    os.environ.get("BARE_DB", ":memory:"), check_same_thread=False, isolation_level=None
)
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=FULL")
db.execute(
    "CREATE TABLE IF NOT EXISTS rows (id TEXT, version INTEGER, topic TEXT, state BLOB, "
    "PRIMARY KEY (id, version))"
)


@app.post("/orders", status_code=201)
def post(order: Order) -> dict[str, Any]:
    rows = [(str(uuid.uuid4()), n, "topic", b"x" * 600) for n in range(5)]
    with writing:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO rows VALUES (?,?,?,?)", rows)
        db.execute("COMMIT")
    return {"id": rows[0][0], "lines": [line.model_dump() for line in order.lines]}
