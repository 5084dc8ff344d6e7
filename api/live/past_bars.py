"""Bars out of history: each as it was known, whenever what became known has changed it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import polars as pl

from api.live import steps
from api.live.past import LATE, End, Present, at_head, names_of
from api.live.past_buckets import holding, intervals, reached
from api.live.rendering import bar_rows
from api.live.row import Row
from api.live.selection import Selection
from api.live.snapshots import instruments
from api.live.steps import Step
from api.reads.ports import Reads
from api.shapes import BAR
from db.clickhouse.replay import Known
from pipeline.schema import INSTANT, LATEST
from service import clock

_BAR: Final = ("tenant", "instrument", "interval", "start")
_AT_ONCE: Final = 200  # bars that are computed at a time
_STARTS: Final = {"tenant": pl.String(), "instrument": pl.String(), "start": INSTANT}
_Shown = tuple[Any, ...]


class PastBars:
    """`api.live.past.History`."""

    def __init__(self, reads: Reads, selection: Selection) -> None:
        self._reads = reads
        self._selection = selection
        self._since = LATEST
        self._given: dict[_Shown, _Shown] = {}  # of late: by its name what it showed

    async def begin(self, at: datetime) -> Sequence[Row]:
        self._since = at
        reference = await instruments(self._reads, self._selection)
        asked = (self._reads.known_latest(*some, "newest", at) for some in names_of(reference))
        found = [(await each).select(list(_STARTS)) for each in asked]
        made = await self._known(pl.concat([pl.DataFrame(schema=_STARTS), *found]), reference, at)
        newest = made.filter(pl.col("count") > 0).sort("instrument", "tenant", "start")
        return await _rows(newest, reference, at)

    async def step(self, step: Step) -> Sequence[Row]:
        until = step.span.until
        made = await self._known(reached(step.prices, step.reference), step.reference, until)
        self._given = {name: bar for name, bar in self._given.items() if bar[_CHANGED] > until - LATE}
        return await _rows(self._news(made, step.span.after), step.reference, until)

    async def present(self, end: End) -> Present | None:
        low = max(self._since, end.after - LATE)
        reference = await instruments(self._reads, self._selection)
        stored = await self._reads.bars_at(await self._touched(Known(low, LATEST)))
        of = stored.join(reference, on=["tenant", "instrument"], how="semi")
        floors = {(*name, clock.to_us(at)): ver for *name, at, ver in of.select(*_BAR, "ver").iter_rows()}
        return Present(*at_head(end.head, "bars"), await _rows(self._news(of, low), reference, end.past), floors)

    def _news(self, bars: pl.DataFrame, after: datetime) -> pl.DataFrame:
        """Of bars those that changed after an instant and do not show what was given of them; it is given now. Those
        that changed first come first."""
        changed = bars.filter(pl.col("updated_at") > after).sort("updated_at", "start", "end", "instrument", "tenant")
        shows = dict(zip(changed.select(_BAR).rows(), changed.select(list(BAR)).rows(), strict=True))
        news = pl.Series([self._given.get(name) != bar for name, bar in shows.items()], dtype=pl.Boolean)
        self._given |= shows
        return changed.filter(news)

    async def _known(self, starts: pl.DataFrame, reference: pl.DataFrame, at: datetime) -> pl.DataFrame:
        """The bars that hold instants, as they were known at one."""
        found = [pl.DataFrame(schema=dict(BAR))]
        every = pl.concat([holding(starts, reference, each) for each in intervals(self._selection)])
        for some in every.sort("tenant", "instrument", "start").iter_slices(_AT_ONCE):
            found += [await self._reads.bars_known(some, at)]
        return pl.concat(found)

    async def _touched(self, span: Known) -> pl.DataFrame:
        """The names of the bars that may have changed in a span."""
        found = [pl.DataFrame(schema={name: BAR[name] for name in _BAR})]
        while True:
            page = await steps.page(self._reads, self._selection, span)
            starts = reached(page.became, page.reference)
            found += [holding(starts, page.reference, each).select(_BAR) for each in intervals(self._selection)]
            if page.whole:
                return pl.concat(found).unique()
            span = Known(page.until, span.until)


_CHANGED: Final = list(BAR).index("updated_at")


async def _rows(bars: pl.DataFrame, reference: pl.DataFrame, past: datetime) -> list[Row]:
    """In their order."""
    versioned = bars if "ver" in bars.columns else bars.with_columns(ver=pl.lit(0, pl.UInt64))
    return [row for _, row in await asyncio.to_thread(bar_rows, versioned, reference, past)]
