"""The README's requests, sent as they stand to a real server: the answers are the README's."""

from __future__ import annotations

import http.client
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MASKS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"), "TIME"),
)


def examples() -> list[tuple[str, str]]:
    """(command, expected output) of every curl example."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    found = []
    for block in blocks:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            if command.startswith("curl "):
                found.append((command, output.strip()))
    return found


def masked(text: str) -> str:
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    return text.replace("\r\n", "\n").strip()


def curl(command: str, port: int) -> str:
    """What `curl` would print: only the options the README uses are known."""
    words = iter(shlex.split(command)[1:])
    url, headers, body = "", {}, None
    for word in words:
        if word == "-s":
            continue
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        else:
            url = word
    parts = urlsplit(url)
    assert parts.netloc == "127.0.0.1:8000"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    with closing(connection):
        connection.request("POST" if body else "GET", path, body, headers)
        return connection.getresponse().read().decode()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server as `make run` starts it, on a free port and a new file."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    ledger = Path(sys.executable).with_name("ledger")
    arguments = ["--port", str(number), "--store", f"sqlite:{tmp_path / 'ledger.db'}"]
    process = subprocess.Popen([ledger, "serve", *arguments], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", number)) == 0:
                    break
            time.sleep(0.1)
        yield number
    finally:
        process.terminate()
        process.wait(20)


def test_the_readmes_examples_answer_what_it_says(port: int) -> None:
    found = examples()
    assert len(found) >= 6
    for command, expected in found:
        assert masked(curl(command, port)) == masked(expected), command


def test_the_readmes_settings_are_all_there_are() -> None:
    from ledger.settings import Settings

    for name, field in Settings.model_fields.items():
        row = re.search(rf"^\| `LEDGER_{name.upper()}` \| (.+?) \|", README, re.MULTILINE)
        assert row, f"LEDGER_{name.upper()} is not in the README"
        default = field.default
        shown = row[1].strip("`")
        if isinstance(default, tuple):
            default = ",".join(default)
        assert shown == ("random" if default is None else str(default))
