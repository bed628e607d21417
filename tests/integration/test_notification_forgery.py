"""Webhooks go to whom the URL names and to nobody inside, over real sockets and TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from projections.notifications.channels.base import Refused, Unavailable
from projections.notifications.channels.webhook import Manners
from tests.support.receivers import Authority, Receiver, in_turn, receiving
from tests.support.webhooks import FACT, KEYS, QUICK, channel, verified


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    channel(receiver.url).send(FACT)
    assert len(receiver.requests) == 1


class Rebinding:
    """A name server that gives the second question another answer."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, _host: str, _port: int) -> list[str]:
        self.asked += 1
        return [self.answers[min(self.asked, len(self.answers)) - 1]]


def test_a_name_is_resolved_once_and_every_answer_is_judged(receiver: Receiver) -> None:
    rebinding = Rebinding("127.0.0.1", "10.0.0.1")
    receiver.answer = in_turn(503, 200)
    url = receiver.url.replace("127.0.0.1", "rebinding.test")
    with pytest.raises(Refused, match=r"rebinding.test is 10\.0\.0\.1"):
        channel(url, replace(QUICK, resolve=rebinding)).send(FACT)
    assert rebinding.asked == 2, "once for each attempt"
    assert len(receiver.requests) == 1, "the first went to the address that was judged"


def test_without_the_setting_this_machine_is_out_of_reach(receiver: Receiver) -> None:
    manners = Manners(ports=frozenset({receiver.port}), resolve=lambda *_: ["127.0.0.1"])
    with pytest.raises(Refused, match="not a public address"):
        channel(f"https://inside.test:{receiver.port}/", manners).send(FACT)
    with pytest.raises(ValueError, match="https://"):
        channel(receiver.url, manners)
    assert receiver.requests == []


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def secure(context: ssl.SSLContext) -> Manners:
    return replace(QUICK, budget=0.3, context=context, resolve=lambda *_: ["127.0.0.1"])


def test_the_connection_goes_to_the_address_and_the_certificate_is_the_names(
    authority: Authority,
) -> None:
    named: list[str | None] = []
    context = authority.serving("hooks.test")
    context.sni_callback = lambda _socket, name, _context: named.append(name)
    with receiving(context) as receiver:
        url = f"https://hooks.test:{receiver.port}/hook"
        channel(url, secure(authority.trusted())).send(FACT)
    assert named == ["hooks.test"]
    assert receiver.requests[0].headers["host"] == f"hooks.test:{receiver.port}"
    assert verified(receiver.requests[0], KEYS[0])


def test_a_certificate_of_another_name_is_not_accepted(authority: Authority) -> None:
    with receiving(authority.serving("other.test")) as receiver:
        url = f"https://hooks.test:{receiver.port}/hook"
        with pytest.raises(Unavailable, match=r"[Hh]ostname mismatch"):
            channel(url, secure(authority.trusted())).send(FACT)
    assert receiver.requests == []


def test_a_certificate_nobody_vouches_for_is_not_accepted(authority: Authority) -> None:
    with receiving(authority.serving("hooks.test")) as receiver:
        url = f"https://hooks.test:{receiver.port}/hook"
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            channel(url, secure(ssl.create_default_context())).send(FACT)
    assert receiver.requests == []
