"""A short life of one client over stores in memory: what it was sent, and what the log held."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final, NamedTuple

from websockets.asyncio.client import unix_connect

from db.redis.landed import Entry, contents
from tests.api import fakes
from tests.api.fakes import GAS, NODE
from tests.api.live.streaming import World, bar
from tests.polling import until_async
from tests.stream.client import Client
from tests.stream.truth import Fact, Frame, Raw, Told, Wanted, log_of, us

KEEP: Final = 3
OTHER: Final = "other"  # a tenant whose rows the client may not see
ASKED: Final[dict[str, dict[str, Any]]] = {
    "prices": {"channel": "prices", "policy": "close", "instruments": [GAS]},
    "bars": {"channel": "bars", "interval": "5m", "instruments": [GAS]},
    "ticks": {"channel": "ticks", "instruments": [GAS]},
}


class Recording(NamedTuple):
    log: list[Told]
    frames: list[Frame]
    wanted: Wanted


class Scribe:
    """Writes down what is told to the log of the fakes."""

    def __init__(self, reads: fakes.FakeReads) -> None:
        self.raws: list[Raw] = []
        self._reads = reads
        self._tell = reads.log.tell
        reads.log.tell = self._told  # type: ignore[method-assign]

    def log(self) -> list[Told]:
        ticks = dict[tuple[str, int], list[Fact]]()
        for row in self._reads.ticks_landed.iter_rows(named=True):
            start, known = (us(row[name].isoformat()) for name in ("start", "known_at"))
            fact = Fact(row["tenant"], row["instrument"], "", start, (row["price"], known))
            ticks.setdefault((f"{row['topic_id']}:{row['partition']}", row["offset"]), []).append(fact)
        return log_of(self.raws, ticks)

    def _told(self, *arguments: Any, **more: Any) -> Entry:
        entry = self._tell(*arguments, **more)
        rows = list(entry.offsets) if entry.offsets else [list(change) for change in entry.changes]
        values = [json.loads(each) for each in contents(entry)]
        self.raws.append(Raw(self._reads.log.epoch, entry.seq, entry.tenant, entry.kind, rows, values))
        return entry


class Play:
    """`tell` changes something of the client's, and of others."""

    def __init__(self, world: World, channel: str) -> None:
        self.world = world
        self.wanted = Wanted(ASKED[channel], frozenset({"public"}), frozenset({GAS}), "close")
        self.scribe = Scribe(world.reads)
        dial = partial(unix_connect, str(world.socket), "ws://test/v1/stream")
        self.client = Client(dial, world.key(), self.wanted, 1)
        self._number = 0
        self._told: Callable[[int], None] = getattr(self, f"_tell_{channel}")
        world.reads.reference.append(fakes.instrument(GAS, OTHER))

    def tell(self, count: int = 1) -> None:
        for _ in range(count):
            self._number += 1
            self._told(self._number)

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[None]:
        """While its client is; in the end it has heard all that was sent."""
        running = asyncio.ensure_future(self.client.run())
        try:
            await self.begun(len(self.client.frames))
            yield
            await self.heard()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def begun(self, since: int) -> None:
        """A heartbeat says that its subscription has begun on the present log: also where nothing else does."""

        def is_told() -> bool:
            beats = [each for each in self.client.frames[since:] if each["type"] == "heartbeat"]
            return any(self.world.reads.log.epoch in each["resume"] for beat in beats for each in beat["subscriptions"])

        await until_async(is_told, 20, "the subscription has begun")

    async def heard(self) -> None:
        """All that was told has been handed out, and a heartbeat has come after it."""
        await self.world.heard()
        count = self._beats() + 2
        await until_async(lambda: self._beats() >= count, 20, "a heartbeat")

    def lose(self) -> None:
        """Redis is emptied."""
        self.world.reads.priced = {}
        self.world.reads.log.empty()

    def recording(self) -> Recording:
        return Recording(self.scribe.log(), list(self.client.frames), self.wanted)

    def _beats(self) -> int:
        return sum(1 for frame in self.client.frames if frame["type"] == "heartbeat")

    def _tell_prices(self, number: int) -> None:
        self.world.price(str(number), number)
        self.world.price("-1", number, tenant=OTHER)
        self.world.price("-2", number, NODE)

    def _tell_bars(self, number: int) -> None:
        row = bar(str(number), 5 * number, number)
        self.world.reads.shown_bars = self.world.bars(row)
        self.world.bar(str(number), 5 * number, number)
        self.world.bar("-1", 5 * number, number, tenant=OTHER)
        self.world.bar("-2", 5 * number, number, instrument=NODE)

    def _tell_ticks(self, number: int) -> None:
        self.world.ticks(10 * number, str(number), "0.5")
        self.world.ticks(10 * number + 5, "-1", tenant=OTHER)


async def played(world: World, channel: str) -> Recording:
    """Live, cut and resumed, the log lost, away for too long, live again."""
    play = Play(world, channel)
    play.tell(2)
    await world.heard()
    async with play.connected():
        play.tell(3)
    play.tell(3)
    await world.heard()
    async with play.connected():
        play.tell(2)
        await play.heard()
        play.lose()
        play.tell(2)
        await play.begun(0)
        play.tell()
    play.tell(4)
    await world.heard()
    world.reads.log.trim(len(world.reads.log.entries) - KEEP)
    async with play.connected():
        play.tell(2)
    return play.recording()
