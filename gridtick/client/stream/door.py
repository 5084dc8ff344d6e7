"""How the door of the stream is knocked at: nothing shows the key, and it goes to no other place."""

import json
import logging
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from gridtick.client.errors import ApiError
from gridtick.client.exchange import Exchange
from gridtick.client.retrying import may_pass, seconds
from gridtick.client.stream.errors import Lost

_REDIRECTS: Final = range(300, 400)


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """At DEBUG websockets writes every header of the handshake, and so the key."""

    def isEnabledFor(self, level: int) -> bool:
        return level > logging.DEBUG and super().isEnabledFor(level)


LOG: Final = _Quiet(logging.getLogger("gridtick.client.stream"))


class Redirected(Exception):
    """Not followed: neither is any other request of the client."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


class Direct(ClientConnection):
    """A connection to the address that was given, or none.

    What websockets takes for a redirect it follows before anybody can say no, so it is told another error.
    """

    async def handshake(self, *given: Any, **named: Any) -> None:
        try:
            await super().handshake(*given, **named)
        except InvalidStatus as error:
            if error.response.status_code in _REDIRECTS:
                raise Redirected(error.response) from error
            raise


def elsewhere(exchange: Exchange, answer: Response) -> ApiError:
    """The refusal that a redirect is."""
    place = _headers(answer).get("Location")
    to = f", to {place}" if place else ""
    detail = f"{exchange.url} leads elsewhere{to} (status {answer.status_code}). Give the address of the API itself."
    told = json.dumps({"title": answer.reason_phrase, "detail": detail}).encode()
    return exchange.refusal(answer.status_code, answer.reason_phrase, {}, told)


def refusal(exchange: Exchange, answer: Response) -> Exception:
    """`Lost` where another try may get in, else an `ApiError`."""
    status, headers = answer.status_code, _headers(answer)
    if may_pass(status) or not 400 <= status < 500:
        return Lost(f"{exchange.url} answers {status}", least=seconds(headers.get("Retry-After")) or 0.0)
    return exchange.refusal(status, answer.reason_phrase, headers, bytes(answer.body or b""))


def _headers(answer: Response) -> httpx.Headers:
    """Those of websockets raise where one comes twice."""
    return httpx.Headers([*answer.headers.raw_items()])
