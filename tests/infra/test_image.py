"""The image: its files, laid out by the Dockerfile's own steps, run as Lambda runs them.

There is no Docker engine here. What the base image brings (Python, and the client of the Runtime
API) is this machine's; the base's Python is newer, so whether the libraries exist for it is asked
of uv.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ledger.store.dynamodb import DynamoDBLedgerRecorder, DynamoDBTables
from ledger.store.dynamodb_client import make_client
from ledger.store.tables import create_tables, delete_tables
from projections.delivery.consumers import CONSUMERS
from tests.support.delivery import stream_record
from tests.support.dockerfiles import build, stages
from tests.support.engines import AWS_ENVIRONMENT, Engines
from tests.support.event_stores import all_events
from tests.support.lambda_runtime import Function, FunctionFailed, running
from tests.support.queues import Aws

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"
HANDLERS = ROOT / "projections" / "handlers"
ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}


@dataclass(frozen=True)
class Image:
    """The image's files, and the client of the Runtime API that its base has."""

    root: Path
    client: Path


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("image")
    image = Image(folder / "task", folder / "client")
    (building,) = (stage for stage in stages(DOCKERFILE) if stage.name == "build")
    build(building, ROOT, folder / "context", root=image.root, cache=ROOT / ".cache" / "image")
    requirements = ROOT / "requirements" / "lambda-runtime.txt"
    uv("--target", str(image.client), "-r", str(requirements))
    return image


def uv(*arguments: str) -> None:
    """Install what is locked; fails where a hash differs or a wheel is missing."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes"]
    subprocess.run([*command, "--only-binary", ":all:", *arguments], check=True)


class Cloud:
    """Tables, a bus and queues on the emulator, and functions that find them."""

    def __init__(self, image: Image, endpoint: str, folder: Path) -> None:
        self.prefix = f"image-{uuid4().hex}"
        self.image = image
        self.folder = folder
        self.stack = ExitStack()
        client = make_client(endpoint, read_timeout=60)
        create_tables(client, self.prefix)
        self.stack.callback(delete_tables, client, self.prefix)
        self.recorder = DynamoDBLedgerRecorder(DynamoDBTables(client, self.prefix), uuids=False)
        self.aws = Aws(endpoint, *CONSUMERS, prefix=self.prefix)
        self.stack.callback(self.aws.close)
        self.environment = {
            **AWS_ENVIRONMENT,
            "AWS_ENDPOINT_URL": endpoint,
            "LEDGER_BUS": self.aws.bus,
            "LEDGER_NOTIFY_LOG": "true",
            "LEDGER_STORE": f"dynamodb:{self.prefix}",
            "LEDGER_AUTH": "none",
        }

    def function(self, handler: str, **environment: str) -> Function:
        """A function that runs until the test ends."""
        return self.stack.enter_context(
            running(
                handler,
                root=self.image.root,
                libraries=[self.image.client],
                log=self.folder / f"{handler}.log",
                environment={**self.environment, **environment},
            )
        )


@pytest.fixture
def cloud(image: Image, engines: Engines, tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(image, engines.endpoint("ministack"), tmp_path)
    with cloud.stack:
        yield cloud


def request(method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    """A request as API Gateway hands it over (payload format 2.0)."""
    return {
        "version": "2.0",
        "routeKey": "ANY /v1/{proxy+}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "api.example.com", **headers},
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "a1b2c3d4e5",
            "domainName": "api.example.com",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "test",
            },
            "requestId": "id=",
            "routeKey": "ANY /v1/{proxy+}",
            "stage": "$default",
            "time": "22/Nov/2026:09:39:56 +0000",
            "timeEpoch": 1795340396000,
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def receive(api: Function, sku: str, quantity: int) -> Mapping[str, Any]:
    body = {"sku": sku, "location": "main", "quantity": quantity}
    headers = {"idempotency-key": uuid4().hex}
    answer: Mapping[str, Any] = api.invoke(request("POST", "/v1/receipts", body, **headers))
    return answer


def test_an_event_goes_from_the_api_to_every_consumer(cloud: Cloud) -> None:
    api = cloud.function("api.lambda_handler.handler")
    assert api.invoke(request("GET", "/healthz"))["statusCode"] == 200
    answer = receive(api, "MUG-RED", 7)
    assert answer["statusCode"] == 201, answer
    order = {"lines": [{"sku": "MUG-RED", "quantity": 2}]}
    placed = api.invoke(request("POST", "/v1/orders", order, **{"idempotency-key": uuid4().hex}))
    assert placed["statusCode"] == 201, placed

    events = all_events(cloud.recorder)
    relay = cloud.function("projections.handlers.relay.handler")
    records = [stream_record(event) for event in events]
    assert relay.invoke({"Records": records}) == {"batchItemFailures": []}

    for name in CONSUMERS:
        messages = cloud.aws.received(name)
        consumer = cloud.function(f"projections.handlers.{name}.handler")
        batch = [
            {**message, "eventSource": "aws:sqs", "receiptHandle": "r"} for message in messages
        ]
        assert consumer.invoke({"Records": batch}) == {"batchItemFailures": []}, consumer.output

    (level,) = json.loads(api.invoke(request("GET", "/v1/stock"))["body"])["items"]
    assert (level["sku"], level["on_hand"], level["reserved"]) == ("MUG-RED", 7, 2)


def test_a_batch_of_a_pipe_is_relayed_too(cloud: Cloud) -> None:
    receive(cloud.function("api.lambda_handler.handler"), "MUG-RED", 7)
    relay = cloud.function("projections.handlers.relay.handler")
    bare = [stream_record(event) for event in all_events(cloud.recorder)]
    assert relay.invoke(bare) == {"batchItemFailures": []}
    assert cloud.aws.received("stock_levels")


def test_what_a_function_raises_reaches_lambda(cloud: Cloud) -> None:
    relay = cloud.function("projections.handlers.relay.handler")
    with pytest.raises(FunctionFailed) as failed:
        relay.invoke({"neither": "of the two"})
    assert failed.value.type == "UnreadableBatch"
    assert relay.invoke({"Records": []}) == {"batchItemFailures": []}


def test_a_function_that_is_not_there_fails_to_start(cloud: Cloud) -> None:
    with pytest.raises(FunctionFailed) as failed:
        cloud.function("projections.handlers.nothing.handler").invoke({})
    assert failed.value.type == "Runtime.ImportModuleError"


def test_the_image_holds_what_runs_and_nothing_else(image: Image) -> None:
    there = {path.name for path in image.root.iterdir()}
    assert {"api", "ledger", "projections"} < there
    assert not there & {"tests", "bench", "bin", "pip", "pytest", "moto", "awslambdaric", "uvicorn"}
    sources = [path for path in image.root.glob("*/**/*.py") if path.parts[-2] != "__pycache__"]
    tag = sys.implementation.cache_tag
    uncompiled = [
        path
        for path in sources
        if path.relative_to(image.root).parts[0] in {"api", "ledger", "projections"}
        and not (path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc").exists()
    ]
    assert not uncompiled


def test_every_function_of_the_code_is_in_the_image(image: Image) -> None:
    in_code = {path.name for path in HANDLERS.glob("*.py")}
    assert in_code == {path.name for path in (image.root / "projections/handlers").glob("*.py")}
    assert {f"{name}.py" for name in CONSUMERS} | {"relay.py"} <= in_code


def test_the_last_stage_takes_only_the_built_files() -> None:
    base, building, last = stages(DOCKERFILE)
    assert (base.name, building.base, last.base) == ("base", "base", "base")
    assert base.base.startswith("public.ecr.aws/lambda/python:3.")
    assert last.values("COPY") == ["--from=build /var/task ${LAMBDA_TASK_ROOT}"]
    assert last.values("RUN") == []
    assert [json.loads(command) for command in last.values("CMD")] == [
        ["api.lambda_handler.handler"]
    ]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_libraries_exist_for_the_base_images_python(architecture: str, tmp_path: Path) -> None:
    version = stages(DOCKERFILE)[0].base.partition(":")[2].partition("@")[0]
    # Amazon Linux 2023 has glibc 2.34.
    platform = f"{ARCHITECTURES[architecture]}-manylinux_2_34"
    requirements = ROOT / "requirements" / "lambda.txt"
    uv(
        *("--dry-run", "--target", str(tmp_path), "-r", str(requirements)),
        *("--python-platform", platform, "--python-version", version),
    )
