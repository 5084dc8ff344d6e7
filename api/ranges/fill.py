"""Pages of bars with a row for every bucket of the range that has begun, and how the empty ones are filled."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from api import shapes
from api.reads import positions
from api.reads.ports import Page, Window
from api.shapes import BAR
from db.clickhouse.bounds import BarPosition, beyond
from pipeline import filled, products
from pipeline.bars import INTERVALS
from pipeline.blocks import Block
from pipeline.filled import FILLED, ORDER, Kind
from pipeline.schema import Schema, conform, empty

MOST_TICKS: Final = 50_000  # prices that are read to fill a page: it may hold fewer rows than its limit
_FINEST_S: Final = 300  # the shortest interval of a product whose prices hold
_DAY_S: Final = 86_400
_WHO: Final = ("tenant", "instrument")
_SHOWN: Final[Schema] = {**BAR, "filled": FILLED["filled"]}
_INSTANT: Final = timedelta(microseconds=1)
_AHEAD: Final = timedelta(days=2)  # within which the day-ahead prices lie
NONE: Final = Page(empty(BAR), None)


class Fill(NamedTuple):
    """What is asked for. No empty bucket is shown that begins at `until` or later. `who`: `tenant, instrument, market,
    product, zone` (whose day `1d` is) of the instruments."""

    kind: Kind
    interval: str
    block: Block | None
    until: datetime
    who: pl.DataFrame


class Sources(NamedTuple):
    """How bars of these instruments are read, and all ticks of these names that begin in [start, end)."""

    bars: Callable[[pl.DataFrame, Window], Awaitable[Page]]
    ticks: Callable[[list[str], datetime, datetime], Awaitable[pl.DataFrame]]


def buckets(fill: Fill, window: Window) -> int:
    """How many buckets of the range have begun; of prices that are repeated ahead also those in which one may hold."""
    return sum(
        filled.count(who, fill.interval, (window.start, max(window.start, min(window.end, until))), fill.block)
        for who, until in _until(fill)
    )


async def page(fill: Fill, window: Window, sources: Sources) -> Page:
    """A page as `api.reads.ports.Reads.bars` gives one, with `filled`; a page that goes on may hold fewer rows."""
    after = positions.read_position(BarPosition, window.after)
    limit = affordable(fill, window.limit)
    grid = await to_thread(_grid, fill, window, after, limit)
    more = grid.height > limit
    end = grid["start"][limit - 1] + _INSTANT if more else window.end
    start = window.start if after is None else max(window.start, after.start)
    there = await sources.bars(_with_bars(fill), Window(start, end, window.after, limit))
    rows = _together(fill, there, grid, after)
    shown = rows.head(limit)
    following = there.following
    if rows.height > limit or (more and following is None):
        following = positions.plain(dict(zip(ORDER, shown.select(ORDER).row(-1), strict=True)))
    bars = await _filled(fill, shown, sources)
    return Page(bars.filter((pl.col("start") < fill.until) | (pl.col("filled") != "null")), following)


def affordable(fill: Fill, limit: int) -> int:
    """How many rows a page may hold at most."""
    if fill.kind == "null":
        return limit
    return max(1, min(limit, MOST_TICKS * _FINEST_S // max(_FINEST_S, INTERVALS[fill.interval].seconds or _DAY_S)))


def _grid(fill: Fill, window: Window, after: BarPosition | None, limit: int) -> pl.DataFrame:
    """The first buckets after the position, one more than the limit where there are more."""
    start = window.start if after is None else max(window.start, after.start)
    parts = [
        filled.grid(who, fill.interval, (start, max(start, min(window.end, until))), fill.block, limit + 1)
        for who, until in _until(fill)
    ]
    return pl.concat(parts).sort(ORDER).filter(beyond(after)).head(limit + 1)


def _until(fill: Fill) -> Iterator[tuple[pl.DataFrame, datetime]]:
    """Some of the instruments, and before when their buckets begin: prices that are repeated may lie ahead."""
    with_bars = _with_bars(fill)
    if with_bars.height:
        yield with_bars, fill.until
    for rows in fill.who.join(with_bars, on=_WHO, how="anti").partition_by("market", "product"):
        product = products.product(rows["market"][0], rows["product"][0])
        yield rows, fill.until + (_AHEAD if product.forward else product.binding or timedelta(0))


def _with_bars(fill: Fill) -> pl.DataFrame:
    """The instruments that have bars of the interval; of the others each bucket repeats a price."""
    pairs = fill.who.select("market", "product").unique()
    finer = [shapes.is_finer(fill.interval, shapes.finest_bar(*pair)) for pair in pairs.iter_rows()]
    return fill.who.join(pairs.filter(~pl.Series(finer, dtype=pl.Boolean)), on=["market", "product"], how="semi")


def _together(fill: Fill, there: Page, grid: pl.DataFrame, after: BarPosition | None) -> pl.DataFrame:
    """The bars and the empty buckets between them (`count` null) up to where the bars end, in order."""
    bars = there.rows.join(fill.who, on=_WHO, how="semi").filter(beyond(after))
    empty = grid.join(bars, on=[*_WHO, "start"], how="anti").with_columns(interval=pl.lit(fill.interval))
    rows = pl.concat([bars.select(list(BAR)), conform(empty, BAR)]).sort(ORDER)
    last = positions.read_position(BarPosition, there.following)
    return rows if last is None else rows.filter(~beyond(last))


async def _filled(fill: Fill, rows: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    buckets = rows.filter(pl.col("count").is_null()).select(*_WHO, "start", "end")
    bars = rows.filter(pl.col("count").is_not_null()).with_columns(filled=pl.lit("none"))
    if buckets.is_empty():
        return conform(bars, _SHOWN)
    made = filled.nulls(buckets)
    if holding := _holding(fill, buckets):
        first, last = buckets.select(pl.min("start"), pl.max("end")).row(0)
        ticks = await sources.ticks(list(holding), first - max(holding.values()), last)
        made = await to_thread(filled.filled, buckets, ticks)
    shown = conform(made.with_columns(interval=pl.lit(fill.interval)), _SHOWN)
    return pl.concat([conform(bars, _SHOWN), shown]).sort(ORDER)


def _holding(fill: Fill, buckets: pl.DataFrame) -> dict[str, timedelta]:
    """Of the instruments of these buckets whose prices may hold in one: how long they do at most. The hours of a block
    are no whole day, so what holds when the day begins says nothing about them."""
    if fill.kind == "null" or (fill.block is not None and fill.interval == "1d"):
        return {}
    rows = fill.who.join(buckets, on=_WHO, how="semi").select("instrument", "market", "product").unique()
    longest = {name: products.product(market, product).max_hold for name, market, product in rows.iter_rows()}
    return {name: hold for name, hold in longest.items() if hold is not None}
