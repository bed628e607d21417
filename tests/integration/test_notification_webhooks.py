"""Webhooks as a receiver sees them, over real sockets."""

from __future__ import annotations

import logging
import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pytest

from projections.notifications.channels.base import Refused, Unavailable
from projections.notifications.channels.webhook import WebhookChannel
from projections.notifications.notification import Kind
from tests.support.receivers import Receiver, dripping, in_turn, receiving, status
from tests.support.webhooks import FACT, KEYS, QUICK, SECRETS, channel, verified


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_the_receiver_gets_the_signed_message(receiver: Receiver) -> None:
    channel(receiver.url + "?from=ledger").send(FACT)

    (request,) = receiver.requests
    assert request.path == "/hook?from=ledger"
    assert request.body == FACT.to_json()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == FACT.id
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 5
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert verified(request, KEYS[0])
    assert not verified(request, KEYS[1])


def test_while_a_secret_is_replaced_there_are_two_signatures(receiver: Receiver) -> None:
    channel(receiver.url, secrets=SECRETS).send(FACT)

    (request,) = receiver.requests
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    assert all(verified(request, key) for key in KEYS)


@pytest.mark.parametrize("code", [500, 502, 503, 504, 429, 408, 425])
def test_what_may_help_is_tried_again_with_the_same_id(receiver: Receiver, code: int) -> None:
    receiver.answer = in_turn(code, code, 200)
    clock = iter(range(1_800_000_000, 1_800_000_009))
    channel(receiver.url, replace(QUICK, clock=lambda: next(clock))).send(FACT)

    assert [r.headers["webhook-id"] for r in receiver.requests] == [FACT.id] * 3
    assert len({r.headers["webhook-timestamp"] for r in receiver.requests}) == 3
    assert len({r.body for r in receiver.requests}) == 1
    assert all(verified(request, KEYS[0]) for request in receiver.requests)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 413, 422])
def test_a_refusal_is_not_tried_again(receiver: Receiver, code: int) -> None:
    receiver.answer = in_turn(code)
    with pytest.raises(Refused, match=f"127.0.0.1 answered {code}"):
        channel(receiver.url).send(FACT)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, code: int) -> None:
    receiver.answer = in_turn(code, Location="/elsewhere")
    with pytest.raises(Refused, match="redirects are not followed"):
        channel(receiver.url).send(FACT)
    assert [request.path for request in receiver.requests] == ["/hook"]


def test_the_budget_ends_the_trying(receiver: Receiver) -> None:
    receiver.answer = in_turn(503)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(seconds)

    began = time.monotonic()
    with pytest.raises(Unavailable, match="answered 503"):
        channel(receiver.url, replace(QUICK, sleep=sleep)).send(FACT)
    assert time.monotonic() - began < 3
    assert sum(slept) < QUICK.budget
    assert len(receiver.requests) == len(slept) + 1


def test_retry_after_is_waited_for_if_it_fits_and_is_the_end_if_not(receiver: Receiver) -> None:
    slept: list[float] = []
    manners = replace(QUICK, budget=10.0, sleep=slept.append)
    receiver.answer = in_turn(503, 200, Retry_After="3")
    channel(receiver.url, manners).send(FACT)
    assert slept == [3.0]

    receiver.answer = in_turn(429, Retry_After="3600")
    with pytest.raises(Unavailable, match="answered 429"):
        channel(receiver.url, manners).send(FACT)
    assert slept == [3.0]


def test_a_receiver_that_hangs_is_given_up(receiver: Receiver) -> None:
    receiver.answer = lambda _: time.sleep(1.5)
    began = time.monotonic()
    with pytest.raises(Unavailable, match="no answer"):
        channel(receiver.url, replace(QUICK, budget=0.6)).send(FACT)
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_an_answer_that_drips_is_cut_off(first: bytes, drop: bytes) -> None:
    with dripping(first, drop) as port:
        began = time.monotonic()
        with pytest.raises(Unavailable):
            channel(f"http://127.0.0.1:{port}/", replace(QUICK, budget=0.6)).send(FACT)
        assert time.monotonic() - began < 2.5


def test_a_body_without_end_is_not_read(receiver: Receiver) -> None:
    written = 0

    def pour(handler: BaseHTTPRequestHandler) -> None:
        nonlocal written
        handler.send_response(200)
        handler.end_headers()
        for _ in range(10_000):
            written += handler.wfile.write(bytes(100_000))

    receiver.answer = pour
    began = time.monotonic()
    channel(receiver.url).send(FACT)
    assert time.monotonic() - began < 2
    time.sleep(0.2)
    assert written < 100_000_000, "a gigabyte was on offer"


def test_what_does_not_speak_http_is_no_answer() -> None:
    with dripping(b"SSH-2.0-OpenSSH_9.6\r\n", b"\r\n") as port, pytest.raises(Unavailable):
        channel(f"http://127.0.0.1:{port}/", replace(QUICK, budget=0.3)).send(FACT)


def test_where_nobody_listens_there_is_no_answer() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unavailable, match="no connection"):
        channel(f"http://127.0.0.1:{port}/", replace(QUICK, budget=0.2)).send(FACT)


def test_the_next_address_is_tried_if_there_is_no_connection_to_the_first(
    receiver: Receiver,
) -> None:
    manners = replace(QUICK, resolve=lambda *_: ["127.0.0.9", "127.0.0.1"])
    channel(receiver.url.replace("127.0.0.1", "receiver.test"), manners).send(FACT)
    assert receiver.requests[0].headers["host"] == f"receiver.test:{receiver.port}"


def test_only_the_kinds_that_are_wanted_go_out_and_the_name_keeps_the_urls_secret() -> None:
    url = "https://hooks.test/a-token-in-the-path"
    some = WebhookChannel(url, SECRETS, (Kind.LOW_STOCK,))
    assert [kind for kind in Kind if some.wants(kind)] == [Kind.LOW_STOCK]
    assert re.fullmatch("webhook-[0-9a-f]{16}", some.name)
    assert some.name == WebhookChannel(url, SECRETS[1:]).name, "other secrets, the same receiver"
    assert some.name != WebhookChannel(url + "2", SECRETS).name
    with pytest.raises(ValueError, match="needs a secret"):
        WebhookChannel(url, ())


def test_nothing_secret_is_logged_or_raised(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    def leak(handler: BaseHTTPRequestHandler) -> None:
        status(handler, 400, X_Token="secret-of-the-receiver")

    receiver.answer = leak
    with caplog.at_level(logging.DEBUG), pytest.raises(Refused) as refused:
        channel(receiver.url + "/token-in-the-path").send(FACT)
    said = f"{refused.value} {caplog.text}"
    assert SECRETS[0] not in said
    assert "secret-of-the-receiver" not in said
    assert "token-in-the-path" not in said
