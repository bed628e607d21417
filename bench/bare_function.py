"""The floor of a function's cold start: FastAPI, Mangum and a boto3 client, and nothing of ours.

Its one route puts five items in one transaction, as an order of three lines does.
"""

from __future__ import annotations

import os
import uuid
from typing import Any

import boto3
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel


class Line(BaseModel):
    sku: str
    quantity: int


class Order(BaseModel):
    lines: list[Line]


app = FastAPI()
client = boto3.client("dynamodb")
table = os.environ["BARE_TABLE"]


@app.post("/v1/orders", status_code=201)
def post(order: Order) -> dict[str, Any]:
    streams = [str(uuid.uuid4()) for _ in range(5)]
    client.transact_write_items(
        TransactItems=[
            {
                "Put": {
                    "TableName": table,
                    "Item": {
                        "stream": {"S": stream},
                        "version": {"N": "1"},
                        "type": {"S": "Bare"},
                        "state": {"B": b"x" * 600},
                    },
                }
            }
            for stream in streams
        ]
    )
    return {"id": streams[0], "lines": [line.model_dump() for line in order.lines]}


handler = Mangum(app, lifespan="off")
"""Answers one request of API Gateway."""
