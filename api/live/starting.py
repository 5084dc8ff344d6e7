"""How a subscription begins: by a snapshot, or where it was, with what was missed meanwhile."""

from dataclasses import replace
from functools import partial
from typing import Literal

from api.live import ticks
from api.live.frames import parts
from api.live.groups import Group
from api.live.hub import Hub
from api.live.overlap import Overlap
from api.live.places import Place
from api.live.rendering import Renderer
from api.live.row import KIND_OF, Change, Shown
from api.live.snapshots import shown_now
from api.live.subscription import Subscription
from api.live.tokens import Token
from api.live.turn import Turn
from api.live.update import Update
from api.problems import Problem
from db.redis.landed import Entry
from service import clock

Reason = Literal["window", "lost"]


class Starting:
    """Of one subscription, which is in the hub's groups."""

    def __init__(self, hub: Hub, subscription: Subscription, turn: Turn) -> None:
        self._hub = hub
        self._of = subscription
        self._turn = turn
        self._sent = 0  # rows of the first change that is replayed

    async def begin(self, token: Token | None = None) -> None:
        """From a token on, where the log reaches back so far; else a gap is told, and it begins anew."""
        await self._turn.of(self._hub.until_following())
        if token is not None:
            why = await self._resume(token)
            if why is None:
                return
            self._of.write_gap(why, self._place.head if why == "window" else None)
        await self._snapshot()

    @property
    def _place(self) -> Place:
        return self._hub.places.of[self._of.selection.channel]

    async def _snapshot(self) -> None:
        while True:
            self._of.restart()
            life = self._hub.life
            shown = await self._turn.of(self._shown())
            if shown is not None and life == self._hub.life and shown.epoch == self._place.epoch:
                await self._send(shown)
                if life == self._hub.life and not self._of.is_overrun:
                    floors = {row.key: row.ver for row in shown.rows if row.ver}
                    self._of.live(Overlap(self._hub.monotonic, shown.seq, floors))
                    return
            await self._turn.pause()

    async def _shown(self) -> Shown | None:
        try:
            return await shown_now(self._hub.reads, self._of.selection, clock.from_us(self._place.known_us))
        except Problem:
            return None  # a store is away

    async def _send(self, shown: Shown) -> None:
        selection = self._of.selection
        token = Token(selection.channel, shown.epoch, shown.seq, shown.seq, shown.position, self._place.known_us).text()
        rows = [row for row in shown.rows if selection.is_recent(row)]
        every = parts(rows)
        for number, part in enumerate(every, 1):
            await self._turn.room()
            self._of.snapshot(number, len(every), part, shown.seq, token)

    async def _resume(self, token: Token) -> Reason | None:
        """Why it cannot go on there."""
        if token.mark != self._of.selection.mark:
            token = replace(token, rows=0, mark=0)
        self._of.resumed(token.seq, token.text())
        self._sent, newest = token.rows, await self._newest(token)
        while True:
            life, head, until = self._hub.life, self._place.head, self._place.position
            self._of.restart()  # what it was offered before lies in the log, up to here
            if token.epoch != self._place.epoch:
                return "lost"
            if head < newest:
                await self._turn.pause()  # another process has read on already
                continue
            if not await self._replayed(token, until, head):
                return "window" if await self._stands(token.epoch) else "lost"
            if life != self._hub.life:
                return "lost"
            token = self._reached(token, head, until)
            if not self._of.is_overrun:
                self._of.live(Overlap(self._hub.monotonic, head))
                return None

    def _reached(self, token: Token, head: int, until: str) -> Token:
        """Where it is now that all up to there was sent. Rows of a change that there is not are forgotten."""
        token = Token(token.channel, token.epoch, self._of.seq, head, until, token.known_us)
        if self._sent:
            self._sent = 0
            self._of.resumed(token.seq, token.text())
        return token

    async def _newest(self, token: Token) -> int:
        """How far the log must have been read to go on: the change of which some was sent already is in it."""
        if not token.rows:
            return token.head
        there = await self._turn.answer(self._hub.reads.log_head)
        return max(token.head, there.counters.last.get(KIND_OF[token.channel], 0))

    async def _stands(self, epoch: str) -> bool:
        """Whether the log is the same one: an emptied Redis may be met here before the hub has noticed."""
        there = await self._turn.answer(self._hub.reads.log_head)
        return epoch == there.counters.epoch == self._place.epoch

    async def _replayed(self, token: Token, until: str, head: int) -> bool:
        """Whether all numbers of (token's, head] were there."""
        kind, expected = KIND_OF[self._of.selection.channel], token.head + 1
        position: str | None = token.position
        while (after := position) is not None:
            entries, position = await self._turn.answer(partial(self._hub.reads.log_since, kind, after, until))
            if [entry.seq for entry in entries] != [*range(expected, expected + len(entries))]:
                return False
            expected += len(entries)
            await self._replay(entries, token.known_us)
        return expected == head + 1

    async def _replay(self, entries: list[Entry], known_us: int) -> None:
        """Of what is sure by then no more is said than the client's token did: not all has been sent yet."""
        group, place = Group(self._of.selection), replace(self._place, known_us=known_us)
        for change in await self._turn.answer(lambda: self._changes(entries, group)):
            if rows := group.rows(change):
                update = Update(rows[self._sent :], change.seq, place.at(change), replayed=True)
                self._sent = 0
                for part in self._of.replay(update):
                    await self._turn.room()
                    self._of.send(part)

    async def _changes(self, entries: list[Entry], group: Group) -> list[Change]:
        if not entries:
            return []
        if self._of.selection.channel == "ticks":
            return await ticks.changes(self._hub.reads, entries, [group])
        return await Renderer(self._hub.reads.snapshot).changes(entries, clock.from_us(self._place.known_us))
