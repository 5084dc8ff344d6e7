"""Clients that stop reading: each is dealt with by its policy, memory stays bounded, and the others get everything.

The long form: `STALLED_CLIENTS=1000`; a fifth of them stall.
"""

import asyncio
import json
import os
import re
import socket
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, Final

import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect

from api.live import pending
from tests.api import fakes
from tests.api.fakes import GAS, NODE
from tests.api.live.streaming import World, served
from tests.polling import until_async

pytestmark = pytest.mark.stack  # it opens connections

CLIENTS = int(os.environ.get("STALLED_CLIENTS", "100"))
STALLED = CLIENTS // 5
CHANGES: Final = 30  # prices in each half
ROUNDS, ROWS = 24, 700  # of ticks, 5 MB in all
_SEQ: Final = re.compile(r'"type":"update".*?"seq":(\d+)')


@dataclass
class Reader:
    """One that reads: when each price came."""

    socket: ClientConnection
    came: dict[int, float] = field(default_factory=dict[int, float])

    async def run(self) -> None:
        async for text in self.socket:
            found = _SEQ.search(str(text)[:200])
            if found:
                self.came[int(found[1])] = time.monotonic()


@pytest.fixture
async def listening(reads: fakes.FakeReads) -> AsyncGenerator[tuple[World, int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    state = fakes.state(reads, time.monotonic)
    state.live.rules = state.live.rules._replace(of_key=2 * CLIENTS, connections=2 * CLIENTS)
    with TemporaryDirectory(prefix="gt") as folder:
        async with served(reads, state, Path(folder), port) as world:
            yield world, port


async def test_who_stalls_is_dealt_with_and_nobody_else_notices(
    listening: tuple[World, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "SKIP_BYTES", 2**18)
    monkeypatch.setattr(pending, "CLOSE_BYTES", 2**19)
    world, port = listening
    async with AsyncExitStack() as exits:
        readers = [await exits.enter_async_context(_reader(world, port)) for _ in range(CLIENTS - STALLED)]
        before = await _latencies(world, readers)
        rss = psutil.Process().memory_info().rss
        for policy, _ in zip(cycle(("conflate", "skip", "close")), range(STALLED), strict=False):
            await exits.enter_async_context(_stalled(world, port, policy))
        await _flood(world)
        end = time.monotonic() + 10
        after = await _latencies(world, readers)
        await until_async(lambda: _policies(world) == {"conflate", "skip"}, end - time.monotonic(), "who must is away")
        _require_bounds(world)
        grown = psutil.Process().memory_info().rss - rss
    figures = {"clients": CLIENTS, "stalled": STALLED, "p99_before_s": before, "p99_after_s": after, "rss_grown": grown}
    print(json.dumps(figures))  # noqa: T201  shown by -s
    assert grown < 200 * 2**20 + STALLED * 8 * 2**20, "of each what its policy holds, and what the system does"


async def _latencies(world: World, readers: Sequence[Reader]) -> float:
    """The 99th percentile of seconds from a change to its arrival, of all readers; every change comes to each."""
    told = dict[int, float]()
    for number in range(CHANGES):
        world.price(str(number), number % 50, NODE)
        seq = world.reads.log.last["latest"]
        told[seq] = time.monotonic()
        await until_async(lambda seq=seq: all(seq in each.came for each in readers), 20, "all have got it")
    took = [each.came[seq] - at for each in readers for seq, at in told.items()]
    return round(quantiles(took, n=100)[98], 4)


async def _flood(world: World) -> None:
    for turn in range(ROUNDS):
        world.ticks(turn * ROWS, *(str(turn) for _ in range(ROWS)))
        await world.heard()


def _policies(world: World) -> set[str]:
    """Of those that are stalled, and still there."""
    return {member.policy for group in world.state.live.hub.groups.of("ticks") for member in group.members}


def _require_bounds(world: World) -> None:
    """What waits is bounded: of `skip` by bytes, of `conflate` by keys."""
    members = [member for group in world.state.live.hub.groups.of("ticks") for member in group.members]
    waits: list[Any] = [member._pending for member in members]  # pyright: ignore[reportPrivateUsage]
    skipping = [each for each in waits if isinstance(each, pending.Skipping)]
    assert skipping
    assert all(each._bytes <= pending.SKIP_BYTES for each in skipping)  # pyright: ignore[reportPrivateUsage]
    assert any(each._skipped for each in skipping), "there was too much for it"  # pyright: ignore[reportPrivateUsage]


@asynccontextmanager
async def _reader(world: World, port: int) -> AsyncGenerator[Reader]:
    async with _subscribed(world, port, channel="prices", instruments=[NODE]) as made:
        reader = Reader(made)
        running = asyncio.ensure_future(reader.run())
        yield reader
        running.cancel()


@asynccontextmanager
async def _stalled(world: World, port: int, policy: str) -> AsyncGenerator[None]:
    """Reads no more once it has begun, and holds little."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    made.setblocking(False)
    await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
    async with _subscribed(world, port, made, channel="ticks", instruments=[GAS], policy=policy):
        yield


@asynccontextmanager
async def _subscribed(
    world: World, port: int, sock: socket.socket | None = None, **asked: Any
) -> AsyncGenerator[ClientConnection]:
    async with connect(
        f"ws://127.0.0.1:{port}/v1/stream", additional_headers={"X-API-Key": world.key()}, compression=None,
        max_queue=1, max_size=2**24, ping_interval=None, proxy=None, close_timeout=0.1, sock=sock,
    ) as made:  # fmt: skip
        await made.send(json.dumps({"op": "subscribe", "id": 1, **asked}))
        while json.loads(await made.recv())["type"] != "caught_up":
            pass
        yield made
