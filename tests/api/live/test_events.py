"""The stream as Server-Sent Events: the same frames, and going on by the standard's own means."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from api.live.events import Events
from api.live.replays import Replays
from api.wire import protocol
from tests.api.fakes import GAS, SECRET_NODE, START, tick
from tests.api.live import described
from tests.api.live.streaming import Frame, World, chained, prices_of
from tests.polling import until_async

PRICES = {"channel": "prices", "instrument": GAS}


def _http(world: World) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(world.socket))
    return httpx.AsyncClient(transport=transport, base_url="http://test", timeout=10)


@asynccontextmanager
async def listening(
    world: World, key: str, parameters: dict[str, Any], **headers: str
) -> AsyncGenerator[AsyncIterator[tuple[str, str, Frame]]]:
    """(type, id, frame) of each event."""
    async with _http(world) as http:
        sent = {"X-API-Key": key} | {name.replace("_", "-"): value for name, value in headers.items()}
        async with http.stream("GET", "/v1/stream", params=parameters, headers=sent) as answer:
            assert answer.status_code == 200, (await answer.aread()).decode()
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            yield _events(answer)


async def _events(answer: httpx.Response) -> AsyncGenerator[tuple[str, str, Frame]]:
    fields = dict[str, str]()
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        described.require(json.loads(fields["data"]))
        yield fields["event"], fields.get("id", ""), json.loads(fields["data"], parse_float=Decimal)
        fields = {}


async def some(
    events: AsyncIterator[tuple[str, str, Frame]], until: str, count: int = 1
) -> list[tuple[str, str, Frame]]:
    """All events but heartbeats up to so many of a type."""
    found = list[tuple[str, str, Frame]]()
    async with asyncio.timeout(10):
        async for each in events:
            found += [each] if each[0] != "heartbeat" or until == "heartbeat" else []
            if sum(kind == until for kind, _, _ in found) == count:
                return found
    raise AssertionError(f"it ended before {until}: {found}")


async def test_it_sends_the_same_frames_and_resumes_by_the_last_id(world: World) -> None:
    world.price("1")
    await world.heard()
    key = world.key()
    async with listening(world, key, PRICES) as events:
        first = await some(events, "caught_up")
        world.price("2", at=5)
        first += await some(events, "update")
    assert [kind for kind, _, _ in first] == ["subscribed", "snapshot", "caught_up", "update"]
    assert all(kind == frame["type"] for kind, _, frame in first)
    world.price("3", at=10)
    await world.heard()
    async with listening(world, key, PRICES, Last_Event_ID=first[-1][1]) as events:
        again = await some(events, "caught_up")
        world.price("4", at=15)
        again += await some(events, "update")
    frames = [frame for _, _, frame in (*first, *again)]
    assert prices_of([frame for frame in frames if "data" in frame]) == [1, 2, 3, 4]
    assert chained(frames)
    assert [frame["replayed"] for frame in frames if frame["type"] == "update"] == [False, True, False]


async def test_who_goes_leaves_nothing_behind(world: World) -> None:
    async with listening(world, world.key(), PRICES) as events:
        await some(events, "caught_up")
        assert len(list(world.state.live.hub.groups)) == 1
    world.price("1")  # a server notices at the next word
    await until_async(lambda: not list(world.state.live.hub.groups))


async def test_a_key_that_is_revoked_ends_it(world: World) -> None:
    async with listening(world, world.key(), PRICES) as events:
        await some(events, "caught_up")
        world.reads.keys.clear()
        last = [each async for each in events][-2:]
    assert [kind for kind, _, _ in last] == ["error", "closed"]
    assert last[1][2]["code"] == 4401


@pytest.mark.parametrize(
    ("parameters", "status", "kind"),
    [
        ({"channel": "prices", "instrument": SECRET_NODE}, 404, "not-found"),
        ({"channel": "prices"}, 422, "invalid-parameter"),
        ({"channel": "nope", "instrument": GAS}, 422, "invalid-parameter"),
        ({"channel": "prices", "instrument": GAS, "interval": "5m"}, 422, "invalid-parameter"),
        ({"channel": "prices", "product": "tick"}, 422, "invalid-parameter"),
        ({"channel": "prices", "instrument": GAS, "resume": "x"}, 422, "invalid-parameter"),
        ({"channel": "prices", "instrument": GAS, "nope": "1"}, 422, "invalid-parameter"),
        ({"channel": "curves", "instrument": "x"}, 403, "scope-missing"),
    ],
)
async def test_what_cannot_be_is_a_problem(world: World, parameters: dict[str, str], status: int, kind: str) -> None:
    key = world.key(scopes=frozenset({"stream:read", "prices:read"}))
    async with _http(world) as http:
        answer = await http.get("/v1/stream", params=parameters, headers={"X-API-Key": key})
    assert (answer.status_code, answer.json()["type"]) == (status, f"/docs/errors/{kind}")
    assert not list(world.state.live.hub.groups)
    assert world.state.metrics.value("stream_connections") == 0


async def test_an_id_that_is_no_token_is_a_problem(world: World) -> None:
    headers = {"X-API-Key": world.key(), "Last-Event-ID": "x" * 300}
    async with _http(world) as http:
        answer = await http.get("/v1/stream", params=PRICES, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (422, "/docs/errors/invalid-parameter")
    assert "Last-Event-ID" in answer.json()["detail"]
    assert world.state.metrics.value("stream_connections") == 0


async def test_its_head_alone_ends_at_once(world: World) -> None:
    async with _http(world) as http:
        answer = await http.head("/v1/stream", params=PRICES, headers={"X-API-Key": world.key()})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert world.state.metrics.value("stream_connections") == 0


async def test_who_reads_nothing_for_a_while_is_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does not read waits in its machine and ours; its policy drops the rest, and nothing else would end it."""
    monkeypatch.setattr(protocol, "STALL_S", 0.2)
    reader, writer = await asyncio.open_unix_connection(str(world.socket), limit=1024)
    writer.write(_ask(world, "policy=skip"))
    await flooded(world)
    await until_async(lambda: not list(world.state.live.hub.groups))
    assert world.state.metrics.value("stream_connections") == 0
    writer.close()
    assert reader.at_eof() is False, "something came"


async def test_who_reads_slowly_is_not_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it reads makes room in the system first, and long after that in what waits here."""
    looks, real = list[tuple[int, int]](), protocol.unread

    def looked(transport: asyncio.Transport) -> int:
        looks.append((transport.get_write_buffer_size(), real(transport)))
        return looks[-1][1]

    monkeypatch.setattr(protocol, "unread", looked)
    monkeypatch.setattr(protocol, "STALL_S", 0.3)
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.connect(str(world.socket))
        client.setblocking(False)
        client.sendall(_ask(world, "policy=skip"))
        await flooded(world)
        async with asyncio.timeout(10):
            while len(looks) < 4:
                assert await asyncio.get_running_loop().sock_recv(client, 8192), "it is gone"
                await asyncio.sleep(0.02)
    assert all(everything > here for here, everything in looks)


async def test_who_is_sent_away_twice_is_told_once() -> None:
    """A look at the keys sends away whoever has not left since the last one."""
    way = Events()
    way.send_away(4401, "revoked")
    way.send_away(4401, "revoked")
    assert len([each async for each in way.body()]) == 1


def _ask(world: World, more: str) -> bytes:
    line = f"GET /v1/stream?channel=ticks&instrument={GAS}&{more} HTTP/1.1"
    return f"{line}\r\nHost: test\r\nX-API-Key: {world.key()}\r\n\r\n".encode()


async def flooded(world: World) -> None:
    """Somebody is there, and more is told than the system takes."""
    await until_async(lambda: len(world.state.live.hub.groups.of("ticks")) == 1)
    for turn in range(10):
        world.ticks(turn * 800, *(str(turn) for _ in range(800)))
        await world.heard()


async def test_a_ticket_is_made_for_who_may_listen(world: World) -> None:
    async with _http(world) as http:
        made = await http.post("/v1/ws-tickets", headers={"X-API-Key": world.key()})
        lacking = await http.post("/v1/ws-tickets", headers={"X-API-Key": world.key(role="viewer")})
    assert (made.status_code, lacking.status_code) == (201, 403)
    ticket = made.json()["ticket"]
    async with world.client(path=f"?ticket={ticket}") as client:
        assert (await client.frame("welcome"))["authenticated"]


async def test_out_of_history_and_on_where_it_was_cut_off(world: World) -> None:
    """A browser comes again with the address that it had; what it was sent last says where it goes on."""
    world.reads.landed = START + timedelta(minutes=4, seconds=30)
    begun = {**PRICES, "channel": "ticks", "from": "2026-07-01T00:02:30Z", "speed": "0"}
    async with listening(world, world.key(), begun) as events:
        first = await some(events, "update")
    assert [kind for kind, _, _ in first] == ["subscribed", "snapshot", "update"]
    assert prices_of([first[-1][2]]) == [Decimal("103.5"), Decimal("104.5")]
    world.reads.stored.append(dict(tick(GAS, START + timedelta(minutes=4, seconds=15), "7")))
    async with listening(world, world.key(), begun, Last_Event_ID=first[-1][1]) as events:
        again = await some(events, "caught_up")
    assert [kind for kind, _, _ in again] == ["subscribed", "update", "caught_up"]
    assert prices_of([again[1][2]]) == [7]


async def test_history_that_cannot_be_told_is_a_problem(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Replays, "most", 0)
    transport = httpx.AsyncHTTPTransport(uds=str(world.socket))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers={"X-API-Key": world.key()}
    ) as http:
        for more, status in (
            ({"from": "2026-07-01T00:00:00Z"}, 429), ({"from": "2999-01-01T00:00:00Z"}, 422), ({"from": "x"}, 422),
            ({"speed": "1"}, 422), ({"from": "2026-07-01T00:00:00Z", "speed": "-1"}, 422),
        ):  # fmt: skip
            answer = await http.get("/v1/stream", params={**PRICES, **more})
            assert answer.status_code == status, (more, answer.text)
