"""The handshake of the stream: the key is in no log, and goes nowhere but to the address that was given."""

import logging

import httpx
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as listen
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from gridtick.client import ApiError, AsyncClient, GridtickError
from tests.client.streaming import KEY, Serve, calm, got, is_seq, nothing


def _server_s(record: logging.LogRecord) -> bool:
    """What the server of the test writes, which is told the key."""
    return record.name.startswith("websockets.server")


async def test_no_log_holds_the_key(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("websockets", "websockets.client", "gridtick", "gridtick.client", "gridtick.client.stream"):
        caplog.set_level(logging.DEBUG, name)
    server = serve(calm)
    await got(is_seq(15))
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert any(_server_s(each) and "S3cret" in each.getMessage() for each in caplog.records), "DEBUG is on"
    shown = [each.getMessage() for each in caplog.records if not _server_s(each)]
    assert [each for each in shown if "S3cret" in each] == []


_PLACES = [None, "", "/elsewhere", "//other.test/x", "https://other.test/x", "wss://other.test/x", "::"]


@pytest.mark.parametrize(
    ("status", "place"),
    [*((302, place) for place in _PLACES), *((status, "/elsewhere") for status in (300, 301, 303, 307, 308))],
)
async def test_a_redirect_is_refused(serve: Serve, status: int, place: str | None) -> None:
    server = serve(calm)
    server.refusals = [(status, {} if place is None else {"Location": place}, "")]
    with pytest.raises(ApiError, match=r"http://api\.test leads elsewhere") as caught:
        await got(is_seq(15))
    assert (caught.value.status, len(server.requests)) == (status, 1)


@pytest.mark.parametrize("address", ["http://api.test#part", "http://api.test/?a=b#part"])
async def test_an_address_that_is_none_has_its_type(address: str) -> None:
    async with AsyncClient(address, KEY, transport=httpx.MockTransport(nothing)) as client:
        with pytest.raises(GridtickError, match="cannot be connected to"):
            await anext(client.stream("ticks", instruments="A"))


@pytest.mark.stack
async def test_another_host_is_not_asked() -> None:
    asked: list[Request] = []

    def see(_: ServerConnection, request: Request) -> Response:
        asked.append(request)
        return Response(404, "Not Found", Headers(), b"")

    def lead(_: ServerConnection, request: Request) -> Response:
        return Response(302, "Found", Headers({"Location": f"ws://127.0.0.1:{other}/v1/stream"}), b"")

    async with listen(_ignore, "127.0.0.1", 0, process_request=see) as elsewhere:
        other = elsewhere.sockets[0].getsockname()[1]
        async with listen(_ignore, "127.0.0.1", 0, process_request=lead) as here:
            address = f"http://127.0.0.1:{here.sockets[0].getsockname()[1]}"
            async with AsyncClient(address, KEY, transport=httpx.MockTransport(nothing)) as client:
                with pytest.raises(ApiError, match=f"leads elsewhere, to ws://127.0.0.1:{other}/v1/stream"):
                    await anext(client.stream("ticks", instruments="A", patience=20))
    assert asked == []


async def _ignore(_: ServerConnection) -> None:
    pass
