"""Completeness: which prices a product promises, from when on, and what is missing of them.

A product with a native interval promises every one of them: the grid in UTC, so that a local day has 23, 24 or 25
hours. Each belongs to the local day of its start. Instants are UTC; frames are in order of `start`.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from pipeline import blocks, calendar
from pipeline.bars import INTERVALS
from pipeline.errors import DataProcessingError
from pipeline.products import Product
from pipeline.schema import INSTANT, Schema

# Promised intervals, each with its local day and the instant from which its price is expected.
GRID: Final[Schema] = {"day": pl.Date(), "start": INSTANT, "end": INSTANT, "due": INSTANT}
# Stretches of time without a price; `missing` intervals, null where intervals are not promised.
GAPS: Final[Schema] = {"start": INSTANT, "end": INSTANT, "missing": pl.Int64()}
# What is there of an instrument: published instant, interval start, until when it holds.
HELD: Final[Schema] = {"ts": INSTANT, "start": INSTANT, "hold_end": INSTANT}

_DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)


def step(product: Product) -> timedelta | None:
    """The native interval; None where no intervals are promised."""
    native = INTERVALS[product.interval].seconds if product.interval and not product.irregular else None
    return None if native is None else timedelta(seconds=native)


def why_none(product: Product) -> str | None:
    """Why no intervals are promised, as a sentence; None where they are."""
    if product.irregular:
        return "Runs come when they are needed: how many is not promised. A gap is a time in which no price holds."
    if product.interval is not None:
        return None
    if product.document:
        return "Prices are those of trading days; which days those are is not known here."
    return "A stream of single prices: none of them is promised."


def intervals(product: Product, zone: str, start: datetime, end: datetime) -> pl.DataFrame:
    """`GRID`: the native intervals that begin in [start, end).

    A publication holds the intervals of one `cadence`, of a local day where that is a day, and is expected `due` after
    the first of them begins. Raises `DataProcessingError` for a product that promises none.
    """
    length = step(product)
    if length is None:
        raise DataProcessingError(f"product {product.name!r} promises no intervals", "api")
    first = floor(start + length - _INSTANT, length)
    starts = pl.datetime_range(first, end, length, closed="left", time_unit="us", eager=True).alias("start")
    grid = _with_days(starts.to_frame(), zone)
    return grid.with_columns(end=pl.col("start") + length, due=_published(product) + product.due).select(*GRID)


def floor(at: datetime, length: timedelta) -> datetime:
    """The beginning of the interval of this length that holds an instant."""
    return _EPOCH + (at - _EPOCH) // length * length


def _with_days(starts: pl.DataFrame, zone: str) -> pl.DataFrame:
    """`starts` with `day` and `day_start`."""
    days = starts.select(pl.col("start").dt.convert_time_zone(zone).dt.date().alias("day"), "start")
    points = days.unique("day").select("start", (pl.col("start") + _INSTANT).alias("end"), pl.lit(zone).alias("zone"))
    return days.join(calendar.local_days(points, "zone").select("day", "day_start"), on="day", maintain_order="left")


def _published(product: Product) -> pl.Expr:
    """The first instant of the intervals that are published together."""
    cadence, length = product.cadence, step(product)
    if cadence is None or length is None or cadence <= length:
        return pl.col("start")
    return pl.col("day_start") if cadence >= _DAY else pl.col("start").dt.truncate(cadence)


def own(grid: pl.DataFrame, instrument: str) -> pl.DataFrame:
    """The intervals in which the instrument is priced: all, but for those of a block of hours."""
    block = blocks.block_of(instrument)
    market = instrument.partition(".")[0]
    return grid if block is None else grid.filter(blocks.within(grid["start"], block, market))


def told(product: Product, grid: pl.DataFrame, held: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """`GRID` and `present` (Boolean): the intervals whose price is expected by now, or there.

    Where the end is published, that is what tells: a price of another stamp inside the interval is none of it.
    """
    present = (
        pl.col("end").is_in(held["ts"].implode()) if product.by_end else pl.col("start").is_in(held["start"].implode())
    )
    marked = grid.with_columns(present=present)
    return marked.filter(pl.col("present") | (pl.col("due") <= now))


def today(product: Product, zone: str, now: datetime) -> pl.DataFrame:
    """`GRID`: the intervals of the local day that holds an instant which are expected by then."""
    moment = pl.DataFrame({"start": [now], "end": [now + _INSTANT], "zone": [zone]})
    [(start, end)] = (
        calendar.local_days(moment.cast({"start": INSTANT, "end": INSTANT}), "zone")
        .select("day_start", "day_end")
        .rows()
    )
    return intervals(product, zone, start, end).filter(pl.col("due") <= now)


def gaps(expected: pl.DataFrame, have: pl.Series) -> pl.DataFrame:
    """`GAPS`: the expected intervals (`start`, `end`) whose starts are not among `have`, neighbours put together."""
    missing = expected.filter(~pl.col("start").is_in(have.implode()))
    begins = (pl.col("start") != pl.col("end").shift()).fill_null(value=True)
    runs = missing.group_by(begins.cum_sum().alias("run"), maintain_order=True)
    return runs.agg(pl.col("start").first(), pl.col("end").last(), pl.len().cast(pl.Int64).alias("missing")).select(
        *GAPS
    )


def holes(held: pl.DataFrame, hold: timedelta, start: datetime, end: datetime) -> pl.DataFrame:
    """`GAPS` of an irregular product: the parts of [start, end) in which no price holds.

    A price holds until the next one, at most until its `hold_end`, where that is null for `hold`.
    """
    until = pl.coalesce("hold_end", pl.col("start") + hold)
    holds = held.select(pl.col("start"), until.alias("end")).filter(pl.col("end") > start, pl.col("start") < end)
    edges = pl.DataFrame({"start": [start, end], "end": [start, end]}, schema={"start": INSTANT, "end": INSTANT})
    ordered = pl.concat([holds, edges]).sort("start", "end")
    reached = ordered.select(pl.col("end").cum_max().shift().alias("start"), pl.col("start").alias("end"))
    between = reached.drop_nulls("start").with_columns(pl.col("start").clip(start), missing=pl.lit(None, pl.Int64))
    return between.filter(pl.col("start") < pl.col("end")).select(*GAPS)
