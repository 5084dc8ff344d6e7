"""What the stream of a process knows: where the log is, who listens, and what each is offered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

from api.live import ticks
from api.live.groups import Groups
from api.live.log import Heard
from api.live.places import Places
from api.live.rendering import Renderer
from api.live.replays import Replays
from api.live.row import CHANNEL_OF, CHANNELS, Change, Channel
from api.live.subscription import Subscription
from api.problems import Problem
from api.reads.ports import Reads
from db.redis.landed import Entry
from db.redis.live import Head
from service import clock
from service.metrics import Metrics

log = logging.getLogger(__name__)

_AGAIN_S: Final = 0.5
_MOST: Final = 8_000  # entries that wait to be handed out


class Hub:
    """A listener of the log (`api.live.log.Listener`). `life` counts how often the log was begun."""

    def __init__(self, reads: Reads, metrics: Metrics, monotonic: Callable[[], float]) -> None:
        self.reads = reads
        self.metrics = metrics
        self.monotonic = monotonic
        self.places = Places()
        self.groups = Groups()
        self.replays = Replays(metrics)
        self.state: Literal["live", "waiting"] = "waiting"
        self.life = 0
        self.lost: Callable[[Subscription], None] = lambda _: None
        self._renderer = Renderer(reads.snapshot)
        self._queue: asyncio.Queue[Head | Heard] = asyncio.Queue()
        self._waiting = 0
        self._following = asyncio.Event()

    def begun(self, head: Head) -> None:
        self._queue.put_nowait(head)

    async def heard(self, heard: Heard) -> None:
        self._waiting += len(heard.entries)
        self._queue.put_nowait(heard)

    def away(self) -> None:
        self.state = "waiting"

    async def until_following(self) -> None:
        """Returns once the log is followed."""
        await self._following.wait()

    async def run(self) -> None:
        """Hands out what is heard, until cancelled."""
        while True:
            told = await self._queue.get()
            if isinstance(told, Head):
                self._begin(told)
            else:
                self._waiting -= len(told.entries)
                await self._hand_out(told)

    def _begin(self, head: Head) -> None:
        self.places.begin(head)
        self.life += 1
        self.state = "live"
        self._following.set()
        if self.life > 1:
            self._lose_all()

    def _lose_all(self) -> None:
        """What lies between the log before and the one that begins is told as a gap."""
        self.metrics.count("stream_lost")
        for group in self.groups:
            for member in list(group.members):
                self.lost(member)

    async def _hand_out(self, heard: Heard) -> None:
        entries = list(heard.entries)
        if entries:
            whole = self._waiting <= _MOST and await self._done(self._rows, entries)
            if not whole or not await self._done(self._ticks, entries):
                await self._begin_anew()
        self.state = "live"

    async def _done(self, step: Callable[[list[Entry]], Awaitable[None]], entries: list[Entry]) -> bool:
        """Tries again while a store is away; False where it cannot be done at all."""
        while True:
            try:
                await step(entries)
                return True
            except Problem:
                self.state = "waiting"
                await asyncio.sleep(_AGAIN_S)
            except Exception:
                log.exception("entries of the landed log cannot be shown")
                return False

    async def _begin_anew(self) -> None:
        """Everything that waits is let go."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._waiting = 0
        while True:
            try:
                head = await self.reads.log_head()
            except Problem:
                await asyncio.sleep(_AGAIN_S)
            else:
                self._begin(head)
                return

    async def _rows(self, entries: list[Entry]) -> None:
        """All but ticks."""
        changes = await self._shown(entries)
        # No wait from here on: who subscribes meanwhile is offered all of it, or nothing.
        for change in changes:
            self.groups.dispatch(change, self.places.of[change.channel].at(change))
        for channel in CHANNELS:
            if channel != "ticks":
                self.places.advance(channel, entries)

    async def _shown(self, entries: list[Entry]) -> Sequence[Change]:
        """Of the channels that somebody listens to; who came while they were made is thought of, too."""
        past = clock.from_us(self.places.of["bars"].known_us)
        while True:
            listened = self._listened()
            wanted = [each for each in entries if each.kind != "tick" and CHANNEL_OF[each.kind] in listened]
            changes = await self._renderer.changes(wanted, past) if wanted else ()
            if self._listened() <= listened:
                return changes

    def _listened(self) -> set[Channel]:
        return {group.selection.channel for group in self.groups}

    async def _ticks(self, entries: list[Entry]) -> None:
        landed = [entry for entry in entries if entry.kind == "tick"]
        while True:
            groups = self.groups.of("ticks")
            changes = await ticks.changes(self.reads, landed, groups) if landed and groups else ()
            if set(self.groups.of("ticks")) <= set(groups):
                break
        for change in changes:
            self.groups.dispatch(change, self.places.of["ticks"].at(change))
        self.places.advance("ticks", entries)
