"""How many rows a range of ticks or bars holds, counted without reading a price."""

from asyncio import to_thread

import polars as pl

from api.query import BarsQuery, TicksQuery
from api.ranges import fill
from api.ranges.estimates import Counted
from api.ranges.fill import Fill
from api.ranges.meant import Asked
from api.reads.ports import Reads
from db.clickhouse.counts import COUNTED_EXACTLY, Counting
from pipeline.bars import by_end


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


async def filled(reads: Reads, asked: Asked, wanted: Fill) -> Counted:
    """A row for every bucket up to now; later ones where there is a bar of prices that are known ahead."""
    window = asked.window
    ahead = whose(asked)._replace(start=min(max(window.start, wanted.until), window.end))
    known = _sum(await reads.count_bars(ahead, wanted.interval)) if ahead.start < ahead.end else 0
    begun = await to_thread(fill.buckets, wanted, window)
    return Counted(begun + known, exact=window.end <= wanted.until, page=fill.affordable(wanted, window.limit))


async def bars(reads: Reads, ask: BarsQuery, asked: Asked) -> Counted:
    """Bars as they are now."""
    there = _sum(await reads.count_bars(whose(asked), ask.interval))
    return Counted(there, exact=asked.moment is None and ask.block is None and ask.timezone is None)


def _sum(counted: pl.DataFrame) -> int:
    return sum(counted["rows"].to_list())
