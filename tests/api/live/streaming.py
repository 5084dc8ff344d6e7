"""The stream served on a socket of this machine's files, over stores in memory, and a client for it."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import polars as pl
import uvicorn
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed

from api.app import create_app
from api.live.log import LogReader
from api.live.wire import MESSAGE_BYTES, Wire
from api.reads.live import SHOWN_BAR
from api.reads.register import TICK
from api.state import State
from api.wire.protocol import Protocol
from db.redis.contents import encoded
from db.redis.landed import Change, Offsets
from db.redis.telling import packed
from pipeline.flags import Flag
from service import clock
from tests.api import fakes
from tests.api.fakes import GAS, START
from tests.api.live import described
from tests.polling import until_async

Frame = dict[str, Any]
WITHIN_S = 10.0


class Client:
    """What it is sent, frame by frame."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.seen: list[Frame] = []

    async def say(self, op: str, **fields: Any) -> Self:
        await self.socket.send(json.dumps({"op": op, **fields}))
        return self

    async def frame(self, *kinds: str) -> Frame:
        """The next of these kinds; of any where none is named. Heartbeats are passed over unless they are named."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                text = await self.socket.recv()
                described.require(json.loads(text))
                frame: Frame = json.loads(text, parse_float=Decimal)
                self.seen.append(frame)
                if frame["type"] in kinds or (not kinds and frame["type"] != "heartbeat"):
                    return frame

    async def closed(self) -> tuple[int, str]:
        """Code and reason with which it is sent away."""
        with suppress(ConnectionClosed):
            while True:
                await self.frame()
        close = self.socket.protocol.close_rcvd
        assert close is not None
        return close.code, close.reason

    async def subscribed(self, **fields: Any) -> Frame:
        """Subscribes; the frame `caught_up`."""
        await self.say("subscribe", **fields)
        return await self.frame("caught_up")

    def of(self, kind: str) -> list[Frame]:
        return [frame for frame in self.seen if frame["type"] == kind]


class World:
    """`state` and `reads` of a stream that is served."""

    def __init__(self, reads: fakes.FakeReads, state: State, socket: Path) -> None:
        self.reads = reads
        self.state = state
        self.socket = socket

    @asynccontextmanager
    async def client(
        self, key: str | None = None, path: str = "", max_queue: int = 16, **headers: str
    ) -> AsyncGenerator[Client]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | ({"X-API-Key": key} if key else {})
        address = f"ws://test/v1/stream{path}"
        async with unix_connect(
            str(self.socket), address, additional_headers=sent, max_size=2**24, max_queue=max_queue
        ) as connection:
            yield Client(connection)

    def key(self, tenant: str = "public", role: str = "analyst", **more: Any) -> str:
        return self.reads.add_key(tenant, role, **more)

    async def heard(self) -> None:
        """Returns once the hub has handed out all that was told."""
        last = self.reads.log.head.position
        await until_async(lambda: all(each.position == last for each in self.state.live.hub.places.of.values()))

    def price(self, price: str | None, at: int = 0, name: str = GAS, tenant: str = "public") -> None:
        """A latest price, `at` minutes after the start."""
        self.reads.priced = self.reads.priced or {}
        row = None if price is None else content(tick(name, at, price, tenant))
        self.reads.priced.pop((tenant, name), None)
        start = None
        if row is not None:
            self.reads.priced[tenant, name], start = row, row["start"]
        change = Change(name, "", start, None if row is None else 0)
        self.reads.log.tell("latest", tenant, [change], packed([] if row is None else [json.dumps(row)]))

    def bar(self, close: str, at: int = 0, ver: int = 1, **more: Any) -> None:
        """A bar of five minutes, `at` minutes after the start."""
        row = bar(close, at, ver, **more)
        frame = pl.DataFrame([row], schema=dict(SHOWN_BAR))
        text = frame.select(encoded(frame)).item()
        change = Change(row["instrument"], row["interval"], clock.to_us(row["start"]), row["revision"])
        self.reads.log.tell("bar", row["tenant"], [change], packed([text]))

    def bars(self, *rows: dict[str, Any]) -> pl.DataFrame:
        return pl.DataFrame(rows, schema=dict(SHOWN_BAR))

    def ticks(self, first: int, *prices: str, name: str = GAS, tenant: str = "public") -> None:
        """Ticks, one a message from an offset on."""
        rows = tick_landed(name, *prices, first=first, tenant=tenant)
        self.reads.ticks_landed = pl.concat([self.reads.ticks_landed, rows])
        us = [clock.to_us(START + timedelta(minutes=at)) for at in range(first, first + len(prices))]
        offsets = Offsets("x:3", first, first + len(prices), min(us), max(us))
        self.reads.log.tell("tick", tenant, offsets=offsets)


def tick(name: str, at: int, price: str, tenant: str) -> dict[str, Any]:
    return dict(fakes.tick(name, START + timedelta(minutes=at), price, tenant))


def tick_landed(name: str, *prices: str, first: int = 0, tenant: str = "public") -> pl.DataFrame:
    """Ticks, one a message from an offset on."""
    rows = [
        tick(name, at, price, tenant) | {"topic_id": "x", "partition": 3, "offset": at, "row": 0}
        for at, price in enumerate(prices, first)
    ]
    return pl.DataFrame(rows, schema=dict(TICK))


def content(row: Mapping[str, Any]) -> dict[str, Any]:
    frame = pl.DataFrame([row], schema=dict(TICK))
    return json.loads(frame.select(encoded(frame)).item())


def bar(close: str, at: int, ver: int, **more: Any) -> dict[str, Any]:
    start, price = START + timedelta(minutes=at), Decimal(close)
    row: dict[str, Any] = dict.fromkeys(SHOWN_BAR)
    row |= {
        "tenant": "public", "instrument": GAS, "interval": "5m", "start": start, "end": start + timedelta(minutes=5),
        "open": price, "high": price, "low": price, "close": price, "covered_seconds": Decimal(0), "count": 1,
        "flags": int(Flag.VALID), "revision": 0, "updated_at": start, "ver": ver,
    }  # fmt: skip
    return row | more


@asynccontextmanager
async def served(reads: fakes.FakeReads, state: State, folder: Path, port: int | None = None) -> AsyncGenerator[World]:
    """The application on a socket, or on a port of this machine, following the log."""
    socket = folder / "s"
    config = uvicorn.Config(
        create_app(state), uds=None if port else str(socket), port=port or 0, http=Protocol, ws=Wire,
        ws_max_size=MESSAGE_BYTES, ws_per_message_deflate=False, log_config=None, lifespan="off",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    reader = LogReader(reads, state.live.hub.monotonic, [state.live.hub])
    tasks = [asyncio.ensure_future(work) for work in (server._serve(), reader.run(), state.live.run())]  # pyright: ignore[reportPrivateUsage]
    await until_async(lambda: server.started)
    try:
        yield World(reads, state, socket)
    finally:
        state.live.stop()
        server.should_exit = True
        await tasks[0]
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def prices_of(frames: Sequence[Frame]) -> list[Decimal | None]:
    return [row["price"] for frame in frames for row in frame["data"]]


def chained(frames: Sequence[Frame]) -> bool:
    """Whether each frame with data follows the one before."""
    after: int | None = None
    for frame in frames:
        if frame["type"] == "gap":
            after = frame["to_seq"]
        if "data" not in frame:
            continue
        if frame["prev_seq"] is not None and after is not None and frame["prev_seq"] != after:
            return False
        after = frame["seq"]
    return True


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
