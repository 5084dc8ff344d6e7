"""Latest prices out of history: of each instrument the newest price that was known at an instant."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import polars as pl

from api.latest import aging
from api.live.past import End, Present, names_of
from api.live.rendering import price_rows, without_price
from api.live.row import Key, Row
from api.live.selection import Selection
from api.live.snapshots import instruments, shown_now
from api.live.steps import Step
from api.reads.ports import Reads
from api.reads.register import TICK

_WHO = ("tenant", "instrument")


class PastPrices:
    """`api.live.past.History`."""

    def __init__(self, reads: Reads, selection: Selection) -> None:
        self._reads = reads
        self._selection = selection
        self._given: dict[Key, Row] = {}

    async def begin(self, at: datetime) -> Sequence[Row]:
        reference = await instruments(self._reads, self._selection)
        rows = await self._known(reference, at)
        self._given = {row.key: row for row in rows}
        return rows

    async def step(self, step: Step) -> Sequence[Row]:
        touched = step.reference.join(step.prices, on=_WHO, how="semi")
        rows = await self._known(touched, step.span.until)
        return await self._news(rows, {(*pair, "", 0) for pair in touched.select(_WHO).iter_rows()})

    async def present(self, end: End) -> Present | None:
        shown = await shown_now(self._reads, self._selection, end.past)
        if shown is None:
            return None
        rows = await self._news(shown.rows, set(self._given))
        return Present(shown.epoch, shown.seq, shown.position, rows)

    async def _news(self, rows: Sequence[Row], of: set[Key]) -> list[Row]:
        """Of rows those that differ from what was given; and of the instruments `of` those that have no price now."""
        snapshot = await self._reads.snapshot()
        gone = [key for key in sorted(of - {row.key for row in rows}) if self._has_price(key)]
        every = [*(without_price(tenant, name, snapshot) for tenant, name, _, _ in gone), *rows]
        news = [row for row in every if row.key not in self._given or self._given[row.key].text != row.text]
        self._given |= {row.key: row for row in news}
        return news

    def _has_price(self, key: Key) -> bool:
        return key in self._given and self._given[key].at_us != aging.FOR_EVER

    async def _known(self, of: pl.DataFrame, at: datetime) -> list[Row]:
        """Those that became known first come first."""
        asked = (self._reads.known_latest(*some, "newest", at) for some in names_of(of))
        found = [(await each).select(list(TICK)) for each in asked]
        ticks = pl.concat([pl.DataFrame(schema=dict(TICK)), *found]).sort("known_at", "instrument", "tenant")
        return await asyncio.to_thread(price_rows, ticks, of)
