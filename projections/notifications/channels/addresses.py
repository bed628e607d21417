"""Which addresses a webhook may be sent to: none that only this network can reach.

A URL somebody else chose must not make this service speak to itself, to its neighbours, or to the
metadata service of the machine it runs on (server-side request forgery). So the name is resolved
here, every address is judged, and the connection goes to the judged address itself: resolving
again could give another answer (DNS rebinding).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from projections.notifications.channels.base import Refused, Unavailable

IPAddress = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
"""Answers the addresses of a host name for a port; `OSError` if it has none."""

HTTPS_PORT: Final = 443

UNICAST: Final = IPv6Network("2000::/3")
"""All of IPv6 that is routed between networks. What is outside embeds IPv4 addresses
(`::ffff:0:0/96`, `64:ff9b::/96`), or is private, local or multicast."""

NOT_PUBLIC_V6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: embeds an IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)
NOT_PUBLIC_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "100.64.0.0/10",  # shared by carriers, and by clouds for their own services
            "168.63.129.16/32",  # the platform service of one cloud, on a public address
            "192.0.0.0/24",  # protocol assignments
            "192.88.99.0/24",  # 6to4 relays
        ),
    )
)
LOOPBACK: Final = (IPv4Network("127.0.0.0/8"), IPv6Network("::1"))
"""Not `is_loopback`: from Python 3.13 on it is true of IPv4 addresses within IPv6 as well."""


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook's URL, taken apart and found to be usable."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query."""

    @property
    def host_header(self) -> str:
        """What the request names as its host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = HTTPS_PORT if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"


def parse_target(
    url: str, *, ports: frozenset[int] = frozenset({HTTPS_PORT}), allow_loopback: bool = False
) -> Target:
    """The target of a URL.

    `allow_loopback` allows `http` and any port; `judged` then sees to it that only this machine
    is reached that way.

    Raises
    ------
    ValueError
        The URL can't be used; says why, without repeating what may be secret in it.
    """
    if not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise ValueError("the URL holds a blank, a backslash or a character that is not ASCII")
    parts = urlsplit(url)
    if parts.scheme not in (("https", "http") if allow_loopback else ("https",)):
        raise ValueError("the URL must begin with https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the URL must not hold a user name or password; the signature is enough")
    if parts.fragment:
        raise ValueError("the URL must not have a fragment (#...)")
    if not parts.hostname:
        raise ValueError("the URL has no host name")
    port = parts.port or (HTTPS_PORT if parts.scheme == "https" else 80)
    if port not in ports and not allow_loopback:
        allowed = ", ".join(map(str, sorted(ports)))
        raise ValueError(f"the URL's port {port} is not allowed; allowed: {allowed}")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port, path)


def is_public(address: IPAddress) -> bool:
    """Whether the address belongs to a machine that anybody on the Internet could reach.

    The standard library's `is_global` alone lets addresses pass that embed private ones.
    """
    if isinstance(address, IPv6Address):
        return address in UNICAST and not any(address in net for net in NOT_PUBLIC_V6)
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in net for net in NOT_PUBLIC_V4)


def judged(target: Target, resolve: Resolver, *, allow_loopback: bool = False) -> list[str]:
    """The addresses to connect to, of which not one is forbidden.

    Raises
    ------
    Refused
        At least one of them may not be spoken to.
    Unavailable
        The name can't be resolved now.
    """
    try:
        found = resolve(target.host, target.port)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"{target.host} can't be resolved: {error}") from error
    if not found:
        raise Unavailable(f"{target.host} has no address")
    default = target.scheme == "https" and target.port == HTTPS_PORT
    for text in found:
        address = ip_address(text)
        if allow_loopback and any(address in net for net in LOOPBACK):
            continue
        if not is_public(address):
            raise Refused(f"{target.host} is {text}, which is not a public address")
        if allow_loopback and not default:
            raise Refused(f"{target.host}: only this machine may be reached like that, not {text}")
    return list(dict.fromkeys(found))


def resolve_by_system(host: str, port: int) -> list[str]:
    """The addresses the system's resolver has, in its order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(where[4][0]) for where in found]
