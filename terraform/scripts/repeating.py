"""MiniStack, giving the same answer to a request that is sent again.

The provider's AWS SDK loses answers that come before it has put the request away ("use of closed
network connection"): AWS takes too long for that, an emulator on the same machine does not. The
SDK then sends the request again, and would be told that what it creates exists already.

https://github.com/aws/aws-sdk-go-v2/issues/2737
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from typing import Any, Final

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

INVOCATION: Final = b"amz-sdk-invocation-id"
"""The header by which attempts of one call are known. SDKs send it with every attempt.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

SUCCESSES: Final = range(200, 300)
REMEMBERED: Final = 1000
"""Answers that are kept, the latest: more than are given while an SDK waits to try again."""


class Repeating:
    """An ASGI application in front of another one: what has succeeded is not done again.

    Failures are: an SDK that tries again after one wants another answer.
    """

    def __init__(self, load: Callable[[], App]) -> None:
        self._load = load
        self._app: App | None = None
        self._answers: OrderedDict[bytes, list[Message]] = OrderedDict()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request: as before, if it has come before."""
        app = self._app = self._app or self._load()
        call = dict(scope.get("headers", ())).get(INVOCATION)
        if call is None:
            await app(scope, receive, send)
        elif call in self._answers:
            await self._repeat(call, receive, send)
        else:
            await self._answer(call, app, scope, receive, send)

    async def _repeat(self, call: bytes, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        for message in self._answers[call]:
            await send(message)
        print(f"the answer to {call.decode('latin-1')} is given again", flush=True)

    async def _answer(
        self, call: bytes, app: App, scope: Message, receive: Receive, send: Send
    ) -> None:
        answer: list[Message] = []

        async def tape(message: Message) -> None:
            answer.append(message)
            whole = message["type"] == "http.response.body" and not message.get("more_body")
            if whole and answer[0]["status"] in SUCCESSES:
                # Before it is sent: the next attempt may come while it is.
                self._remember(call, answer)
            await send(message)

        await app(scope, receive, tape)

    def _remember(self, call: bytes, answer: list[Message]) -> None:
        self._answers[call] = answer
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)


def ministack() -> App:
    """The emulator, which only its own environment has."""
    app: App = import_module("ministack.app").app
    return app


app: Final = Repeating(ministack)
"""What a server serves."""
