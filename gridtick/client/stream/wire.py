"""The connection itself: opened with the key in a header, read until it ends, and what its ends mean."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from gridtick.client.errors import GridtickError
from gridtick.client.exchange import Exchange
from gridtick.client.retrying import seconds
from gridtick.client.stream.buffer import Buffer
from gridtick.client.stream.errors import Lost, StreamStalled, refused

MISSED: Final = 2  # heartbeats, until nothing is thought to come any more
_OPEN_S: Final = 10.0
_CLOSE_S: Final = 1.0
_LARGEST: Final = 64 << 20  # bytes of a frame
_LATER: Final = frozenset({408, 425, 429})
_FOR_GOOD: Final = range(4400, 4500)


@asynccontextmanager
async def connected(exchange: Exchange, *, has_proxy: bool) -> AsyncGenerator[ClientConnection]:
    """A connection to the stream. Raises `Lost` where another try may succeed, and an `ApiError` for a refusal."""
    address = f"ws{exchange.url.removeprefix('http')}/v1/stream"
    try:
        wire = await connect(
            address,
            additional_headers={"Authorization": f"Bearer {exchange.secret.reveal()}"},
            user_agent_header="gridtick-client",
            proxy=True if has_proxy else None,
            ssl=httpx.create_ssl_context() if address.startswith("wss") else None,
            open_timeout=_OPEN_S,
            close_timeout=_CLOSE_S,
            ping_interval=None,  # heartbeats tell that it lives
            max_size=_LARGEST,
        )
    except InvalidStatus as error:
        raise _of_answer(exchange, error) from error
    except ssl.SSLCertVerificationError as error:
        raise GridtickError(f"{exchange.url} shows no certificate that can be trusted ({error.reason}).") from error
    except (OSError, InvalidHandshake) as error:
        raise Lost(f"{exchange.url} does not answer ({type(error).__name__})") from error
    try:
        yield wire
    finally:
        await wire.close()


async def say(wire: ClientConnection, message: Mapping[str, Any]) -> None:
    try:
        await wire.send(json.dumps(message))
    except ConnectionClosed as error:
        raise _of_end(error) from error


async def hear(wire: ClientConnection, heartbeat_s: float) -> str | bytes:
    """The next frame. Raises `StreamStalled` where none comes for two heartbeats, and what an end means.

    Each of them is waited for on its own: where the whole program was held up, what came meanwhile is found by the
    second wait.
    """
    for _ in range(MISSED):
        try:
            async with asyncio.timeout(heartbeat_s):
                return await wire.recv()
        except TimeoutError:
            continue
        except ConnectionClosed as error:
            raise _of_end(error) from error
    raise StreamStalled(f"Nothing came for {MISSED * heartbeat_s:g} seconds, which are {MISSED} heartbeats.")


async def pump(wire: ClientConnection, buffer: Buffer, heartbeat_s: Callable[[], float]) -> None:
    """Puts every frame into the buffer until the connection ends."""
    try:
        while True:
            await buffer.put(await hear(wire, heartbeat_s()))
    except (Lost, GridtickError) as error:
        await buffer.end(error)


def _of_answer(exchange: Exchange, error: InvalidStatus) -> Exception:
    answer = error.response
    status = answer.status_code
    if status in _LATER or not 400 <= status < 500:
        wait = seconds(answer.headers.get("Retry-After")) or 0.0
        return Lost(f"{exchange.url} answers {status}", least=wait)
    reason = answer.reason_phrase or HTTPStatus(status).phrase
    return exchange.refusal(status, reason, answer.headers, bytes(answer.body or b""))


def _of_end(error: ConnectionClosed) -> Exception:
    if error.rcvd is None:
        return Lost("the connection broke off")
    code, reason = error.rcvd.code, error.rcvd.reason
    if code in _FOR_GOOD:
        return refused(code, reason)
    return Lost(f"the server closed it: {reason}" if reason else f"the server closed it (code {code})")
