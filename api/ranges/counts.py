"""How many rows a range of ticks or bars holds, counted without reading a price."""

from datetime import datetime
from typing import Final

import polars as pl

from api.query import BarsQuery, TicksQuery
from api.ranges.estimates import Counted
from api.ranges.meant import Asked
from api.reads.ports import Reads
from db.clickhouse.counts import COUNTED_EXACTLY, Counting
from pipeline.bars import INTERVALS, by_end

_DAY_S: Final = 86_400


def whose(asked: Asked) -> Counting:
    """Whose rows are counted: no instrument that the caller may not see is among them."""
    pairs = asked.reference.select("tenant", "instrument").rows()
    return Counting(pairs, asked.window.start, asked.window.end)


async def ticks_by_hour(reads: Reads, asked: Asked) -> pl.DataFrame:
    """`COUNTED` of the publications."""
    return await reads.count_publications(whose(asked), asked.moment and asked.moment.at)


async def ticks(reads: Reads, ask: TicksQuery, asked: Asked) -> Counted:
    """Prices; where they are very many, or every revision is asked for, their publications."""
    published = _sum(await ticks_by_hour(reads, asked))
    if ask.revisions or published > COUNTED_EXACTLY:
        return Counted(published, exact=not published)
    prices = await reads.count_prices(whose(asked), asked.moment and asked.moment.at)
    return Counted(prices, exact=not by_end(asked.reference).any())


async def bars(reads: Reads, ask: BarsQuery, asked: Asked, until: datetime) -> Counted:
    """Bars as they are now; with `fill` the buckets up to `until`."""
    if ask.fill != "none":
        seconds = (min(asked.window.end, until) - asked.window.start).total_seconds()
        buckets = max(0, seconds) // (INTERVALS[ask.interval].seconds or _DAY_S)
        return Counted(int(buckets) * asked.reference.height, exact=False)
    there = _sum(await reads.count_bars(whose(asked), ask.interval))
    return Counted(there, exact=asked.moment is None and ask.block is None and ask.timezone is None)


def _sum(counted: pl.DataFrame) -> int:
    return sum(counted["rows"].to_list())
