"""Where a webhook may go, and where not."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from projections.notifications.channels.addresses import (
    Target,
    is_public,
    judged,
    parse_target,
)
from projections.notifications.channels.base import Refused, Unavailable

FORBIDDEN = (
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.8.8",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "::ffff:0:7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
)
ALLOWED = ("1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::200e")
HOOK = parse_target("https://example.com/hook?a=1")


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_of_no_public_machine_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(Refused, match="not a public address"):
        judged(HOOK, lambda *_: [address])


@pytest.mark.parametrize("address", ALLOWED)
def test_a_public_address_is_allowed(address: str) -> None:
    assert is_public(ip_address(address))
    assert judged(HOOK, lambda *_: [address, address]) == [address]


def test_one_forbidden_address_among_public_ones_is_enough() -> None:
    with pytest.raises(Refused, match=r"example.com is 10\.0\.0\.1"):
        judged(HOOK, lambda *_: ["8.8.8.8", "10.0.0.1"])


def test_a_name_without_an_address_may_have_one_later() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(Unavailable, match=r"example.com can't be resolved"):
        judged(HOOK, unknown)
    with pytest.raises(Unavailable, match="no address"):
        judged(HOOK, lambda *_: [])


def test_a_url_is_taken_apart() -> None:
    assert Target("https", "example.com", 443, "/hook?a=1") == HOOK
    assert HOOK.host_header == "example.com"
    assert parse_target("https://Example.COM").path == "/"
    v6 = parse_target("https://[2606:4700::1111]:8443/x", ports=frozenset({8443}))
    assert (v6.host, v6.host_header) == ("2606:4700::1111", "[2606:4700::1111]:8443")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/hook", "https://"),
        ("ftp://example.com/hook", "https://"),
        ("//example.com/hook", "https://"),
        ("example.com/hook", "https://"),
        ("https://user@example.com/hook", "user name"),
        ("https://user:word@example.com/hook", "user name"),
        ("https://:word@example.com/hook", "user name"),
        ("https://example.com:8443/hook", "port 8443"),
        ("https://example.com:22/hook", "port 22"),
        ("https://example.com:99999/hook", "[Pp]ort"),
        ("https://example.com/hook#part", "fragment"),
        ("https:///hook", "host name"),
        ("https://exa mple.com/hook", "blank"),
        ("https://example.com/hook\r\nX-Evil: 1", "blank"),
        ("https://example.com\\@10.0.0.1/", "backslash"),
        ("https://exämple.com/hook", "ASCII"),
    ],
)
def test_a_url_that_can_not_be_used_says_why(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_target(url)


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "metadata.internal"]
)
def test_it_is_the_address_that_counts_however_the_host_is_written(host: str) -> None:
    target = parse_target(f"https://{host}/")
    assert target.host == host
    with pytest.raises(Refused):
        judged(target, lambda *_: ["127.0.0.1"])


def test_for_development_this_machine_may_be_reached_in_any_way_and_nobody_else() -> None:
    plain = parse_target("http://localhost:8080/hook", allow_loopback=True)
    secure = parse_target("https://example.com/hook", allow_loopback=True)

    assert judged(plain, lambda *_: ["::1", "127.0.0.1"], allow_loopback=True) == [
        "::1",
        "127.0.0.1",
    ]
    assert judged(secure, lambda *_: ["8.8.8.8"], allow_loopback=True) == ["8.8.8.8"]
    for address in ("8.8.8.8", "10.0.0.1", "::ffff:127.0.0.1", "0.0.0.0"):
        with pytest.raises(Refused):
            judged(plain, lambda *_, a=address: [a], allow_loopback=True)
    with pytest.raises(Refused):
        judged(secure, lambda *_: ["169.254.169.254"], allow_loopback=True)
