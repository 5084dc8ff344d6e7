"""The connection itself: opened with the key in a header, read until it ends, and what its ends mean."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

from gridtick.client.errors import GridtickError
from gridtick.client.exchange import Exchange
from gridtick.client.stream.buffer import Buffer
from gridtick.client.stream.door import LOG, Direct, Redirected, elsewhere, refusal
from gridtick.client.stream.errors import Lost, StreamStalled, refused

MISSED: Final = 2  # heartbeats, until nothing is thought to come any more
_OPEN_S: Final = 10.0
_CLOSE_S: Final = 1.0
_LARGEST: Final = 64 << 20  # bytes of a frame
_FOR_GOOD: Final = range(4400, 4500)


@asynccontextmanager
async def connected(exchange: Exchange, *, has_proxy: bool) -> AsyncGenerator[ClientConnection]:
    """A connection to the stream. Raises `Lost` where another try may succeed, and an `ApiError` for a refusal."""
    try:
        wire = await _opened(exchange, has_proxy=has_proxy)
    except (Redirected, WebSocketException, OSError) as error:
        raise _of_failure(exchange, error) from error
    try:
        yield wire
    finally:
        await wire.close()


async def _opened(exchange: Exchange, *, has_proxy: bool) -> ClientConnection:
    address = f"ws{exchange.url.removeprefix('http')}/v1/stream"
    return await connect(
        address,
        additional_headers={"Authorization": f"Bearer {exchange.secret.reveal()}"},
        user_agent_header="gridtick-client",
        proxy=True if has_proxy else None,
        ssl=httpx.create_ssl_context() if address.startswith("wss") else None,
        open_timeout=_OPEN_S,
        close_timeout=_CLOSE_S,
        ping_interval=None,  # heartbeats tell that it lives
        max_size=_LARGEST,
        logger=LOG,
        create_connection=Direct,
    )


def _of_failure(exchange: Exchange, error: Exception) -> Exception:
    """What it means that no connection was made."""
    name = type(error).__name__
    match error:
        case Redirected():
            return elsewhere(exchange, error.answer)
        case InvalidStatus():
            return refusal(exchange, error.response)
        case ssl.SSLCertVerificationError():
            return GridtickError(f"{exchange.url} shows no certificate that can be trusted ({error.reason}).")
        case OSError() | InvalidHandshake():
            return Lost(f"{exchange.url} does not answer ({name})")
        case _:  # an address or a proxy that is none
            return GridtickError(f"{exchange.url} cannot be connected to ({name}).")


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


def _of_end(error: ConnectionClosed) -> Exception:
    if error.rcvd is None:
        return Lost("the connection broke off")
    code, reason = error.rcvd.code, error.rcvd.reason
    if code in _FOR_GOOD:
        return refused(code, reason)
    return Lost(f"the server closed it: {reason}" if reason else f"the server closed it (code {code})")
