"""An emulator that gives the same answer to a request that is sent again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.infra.loading import script
from tests.support.engines import free_port


class Caller:
    """An SDK, as far as the emulator can tell."""

    def __init__(self, url: str) -> None:
        self._url = url

    def create_bus(self, name: str, invocation: str) -> tuple[int, dict[str, str]]:
        """What is answered to an attempt to create a bus."""
        request = Request(
            self._url,
            data=json.dumps({"Name": name}).encode(),
            headers={
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": "AWSEvents.CreateEventBus",
                "Amz-Sdk-Invocation-Id": invocation,
            },
        )
        try:
            with urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except HTTPError as refused:
            return refused.code, json.load(refused)


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """One that calls MiniStack as it is started for deployments."""
    folder: Path = tmp_path_factory.mktemp("ministack")
    ministack = script("emulator").MiniStack(folder, free_port())
    ministack.start()
    try:
        yield Caller(ministack.url)
    finally:
        ministack.stop()


def test_a_second_attempt_is_answered_as_the_first_was(caller: Caller) -> None:
    call = str(uuid.uuid4())
    first = caller.create_bus("orders", call)
    assert first[0] == 200
    assert caller.create_bus("orders", call) == first


def test_another_call_is_another_call(caller: Caller) -> None:
    caller.create_bus("stock", str(uuid.uuid4()))
    status, answer = caller.create_bus("stock", str(uuid.uuid4()))
    assert status == 400
    assert answer["__type"] == "ResourceAlreadyExistsException"


def test_what_was_refused_is_decided_anew(caller: Caller) -> None:
    call = str(uuid.uuid4())
    assert caller.create_bus("", call)[0] == 400
    assert caller.create_bus("orders-2", call)[0] == 200
    assert caller.create_bus("orders-2", call)[0] == 200


def test_the_oldest_answers_are_forgotten(caller: Caller) -> None:
    remembered: int = script("repeating").REMEMBERED
    call = str(uuid.uuid4())
    assert caller.create_bus("old", call)[0] == 200
    for number in range(remembered):
        caller.create_bus(f"bus-{number}", str(uuid.uuid4()))
    assert caller.create_bus("old", call)[0] == 400
