"""Ticks out of history: every publication that changed a price, in the order in which they became known."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import polars as pl

from api.live import steps
from api.live.past import LATE, End, Present, at_head
from api.live.rendering import tick_rows
from api.live.row import Row
from api.live.selection import Selection
from api.live.steps import Step
from api.reads.ports import Reads
from db.clickhouse.replay import Known
from pipeline.schema import LATEST

_KNOWN = ("known_at", "topic_id", "partition", "offset", "row", "instrument", "ts")
_PRICE = ("tenant", "instrument", "ts")


class PastTicks:
    """`api.live.past.History`."""

    def __init__(self, reads: Reads, selection: Selection) -> None:
        self._reads = reads
        self._selection = selection
        self._since = LATEST
        self._given: list[tuple[datetime, Sequence[Row]]] = []  # of late, by the end of their steps

    async def begin(self, at: datetime) -> Sequence[Row]:
        self._since = at
        return []

    async def step(self, step: Step) -> Sequence[Row]:
        rows = await self._rows(step.prices, step.span, step.reference)
        self._given = [each for each in self._given if each[0] > step.span.until - LATE]
        self._given.append((step.span.until, rows))
        return rows

    async def present(self, end: End) -> Present | None:
        span = Known(max(self._since, end.after - LATE), LATEST)
        sent = Counter(row.text for _, rows in self._given for row in rows)
        lacking = Counter(sent)
        news = list[Row]()
        for row in await self._until_now(span):
            if lacking[row.text]:
                lacking[row.text] -= 1
            else:
                news.append(row)
        self._given.append((end.after, news))
        return Present(*at_head(end.head, "ticks"), news, sent=sent + Counter(row.text for row in news))

    async def _until_now(self, span: Known) -> list[Row]:
        """A page after the other: mostly there is one."""
        rows = list[Row]()
        while True:
            page = await steps.page(self._reads, self._selection, span)
            rows += await self._rows(page.became, Known(span.after, page.until), page.reference)
            if page.whole:
                return rows
            span = Known(page.until, span.until)

    async def _rows(self, prices: pl.DataFrame, span: Known, reference: pl.DataFrame) -> list[Row]:
        found = await self._reads.ticks_known(prices.select(_PRICE).unique(maintain_order=True), span)
        ordered = found.join(reference, on=["tenant", "instrument"], how="semi").sort(_KNOWN)
        return await asyncio.to_thread(tick_rows, ordered, reference)
