"""How a subscription begins in the past: how things were, then what became known, then it joins what is live."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from api.live import steps
from api.live.frames import parts
from api.live.groups import Group
from api.live.hub import Hub
from api.live.overlap import Overlap
from api.live.past import End, History, Present
from api.live.past_bars import PastBars
from api.live.past_prices import PastPrices
from api.live.past_ticks import PastTicks
from api.live.places import Place
from api.live.row import Channel, Row
from api.live.steps import INSTANT, Page, Step
from api.live.subscription import Subscription
from api.live.tempo import Tempo
from api.live.tokens import Past, Token
from api.live.turn import Turn
from api.live.update import Update
from db.clickhouse.replay import Known
from db.redis.live import Head
from service import clock

_OF: Final[dict[Channel, Callable[..., History]]] = {"prices": PastPrices, "bars": PastBars, "ticks": PastTicks}


class _Joining(NamedTuple):
    """Since when a subscription is offered what comes: the hub's `life` then, and where the log ended after that."""

    life: int
    head: Head


class Replaying:
    """Of one subscription, which is in the hub's groups only where it joins. Its frames before that have the number 0.

    Nothing that has landed can change what was known before `known_until`: up to there history is told step by step.
    What became known later is told as how things are.
    """

    def __init__(self, hub: Hub, subscription: Subscription, turn: Turn, past: Past) -> None:
        self._hub = hub
        self._of = subscription
        self._turn = turn
        self._past = past
        self._was_told = past.told
        self._tempo = Tempo(past.at, past.speed, hub.monotonic)
        self._group = Group(subscription.selection)
        self._history = _OF[past.channel](hub.reads, subscription.selection)

    async def begin(self) -> None:
        """Returns once it is live."""
        self._of.past = self._past
        begun = False
        while True:
            # Where not all has landed that was known by then, what lands from here on is told by the log.
            joining = None if await self._has_landed() else await self._registered()
            if joining is not None or not begun:
                await self._show()
            begun = True
            if joining is None:
                await self._tell()
            if await self._joined(joining or await self._registered()):
                return
            self._hub.groups.remove(self._of)
            await self._turn.pause()

    @property
    def _place(self) -> Place:
        return self._hub.places.of[self._of.selection.channel]

    async def _has_landed(self) -> bool:
        return self._past.at < await self._turn.answer(self._hub.reads.known_until)

    async def _show(self) -> None:
        """How things were then: who was told so before gets nothing."""
        rows = self._seen(await self._turn.answer(lambda: self._history.begin(self._past.at)))
        if self._was_told:
            self._of.resumed(self._past.seq, self._past.text())
            return
        token = self._past._replace(seq=0).text()
        every = parts(rows)
        for number, part in enumerate(every, 1):
            await self._turn.room()
            self._of.snapshot(number, len(every), part, 0, token)
        self._goes_on(self._past.at)

    async def _tell(self) -> None:
        """What became known, at its pace, until that is now."""
        while True:
            last = await self._turn.answer(self._hub.reads.known_until) - INSTANT
            span = Known(self._past.at, max(last, self._past.at))
            page = await self._turn.answer(lambda: steps.page(self._hub.reads, self._of.selection, span))  # noqa: B023
            await self._tell_page(page)
            await self._turn.of(self._tempo.until(page.until))
            self._goes_on(page.until)
            if page.whole and (not self._tempo.is_bound or self._tempo.now() >= await self._now()):
                return

    async def _now(self) -> datetime:
        return await self._turn.answer(self._hub.reads.known_until) - INSTANT

    async def _tell_page(self, page: Page) -> None:
        left = page.became
        while not left.is_empty():
            some = steps.first(left, self._tempo.width, self._tempo.now())
            until = some["known_at"][-1]
            await self._turn.of(self._tempo.until(until))
            step = Step(Known(self._past.at, until), some, page.reference)
            rows = await self._turn.answer(lambda: self._history.step(step))  # noqa: B023
            await self._send(self._seen(rows), self._token(until), None)
            self._goes_on(until)
            left = left.slice(some.height)

    def _token(self, at: datetime) -> str:
        """What goes on after an instant, behind a frame of the number that was sent last."""
        return self._past._replace(at=at, seq=self._of.seq).text()

    def _goes_on(self, at: datetime) -> None:
        """Up to an instant all was sent."""
        self._past = self._of.past = self._past._replace(at=at, told=True)

    async def _registered(self) -> _Joining:
        await self._turn.of(self._hub.until_following())
        life = self._hub.life
        self._of.restart()
        self._hub.groups.add(self._of)
        return _Joining(life, await self._turn.answer(self._hub.reads.log_head))

    async def _joined(self, joining: _Joining) -> bool:
        """Whether it is live. Where it is not, what was sent is not sent again."""
        end = End(self._past.at, joining.head, clock.from_us(self._place.known_us))
        present = await self._turn.answer(lambda: self._history.present(end))
        if present is None:
            return False
        fits = self._follows(joining) and present.epoch == self._place.epoch
        token, seq = (self._live_token(present), present.seq) if fits else (self._token(self._past.at), None)
        await self._send(self._seen(present.rows), token, seq)
        if not fits or not self._follows(joining):
            return False
        self._of.past = None
        self._of.resumed(self._of.seq, token)
        self._of.live(Overlap(self._hub.monotonic, present.seq, present.floors, present.sent))
        return True

    def _follows(self, joining: _Joining) -> bool:
        """Whether all that came since was offered, and is held."""
        return joining.life == self._hub.life and not self._of.is_overrun

    def _live_token(self, present: Present) -> str:
        known_us = self._place.known_us
        return Token(self._past.channel, present.epoch, present.seq, present.seq, present.position, known_us).text()

    async def _send(self, rows: Sequence[Row], token: str, seq: int | None) -> None:
        """In frames of which all but the last resume where the one before did: a step that was cut off comes again."""
        every, before = parts(rows) if rows else [], self._token(self._past.at)
        for number, part in enumerate(every, 1):
            await self._turn.room()
            is_last = number == len(every)
            update = Update(part, seq if is_last else None, token if is_last else before, replayed=True)
            self._of.send(update)

    def _seen(self, rows: Sequence[Row]) -> list[Row]:
        return [row for row in rows if self._group.takes(row)]
