"""What is there of an instrument over a range: totals, gaps, and each local day.

Days before that of the instrument's first price promise nothing: nobody knows whether it was there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from pipeline import calendar, expected
from pipeline.products import Product
from pipeline.schema import INSTANT, Schema

# `expected` and `missing` are null where no intervals are promised. `complete`: null while nothing is missing but more
# is to come, or nothing was expected.
DAYS: Final[Schema] = {
    "day": pl.Date(),
    "expected": pl.Int64(),
    "present": pl.Int64(),
    "missing": pl.Int64(),
    "complete": pl.Boolean(),
}
# Prices of a stream: how many begin in a stretch of time that begins at `start`.
COUNTED: Final[Schema] = {"start": INSTANT, "count": pl.Int64()}
_AHEAD: Final = timedelta(days=8)  # two holidays and a Sunday lie between hours of a block at most


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose prices of [start, end) are looked for, as of `now`; `first`: the start of its first price of all."""

    instrument: str
    product: Product
    zone: str
    start: datetime
    end: datetime
    now: datetime
    first: datetime | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """`gaps` are `expected.GAPS`, None where nothing tells of any; `days` are `DAYS`."""

    expected: int | None
    present: int
    missing: int | None
    gaps: pl.DataFrame | None
    days: pl.DataFrame


def promised(asked: Asked, held: pl.DataFrame) -> Coverage:
    """Of a product whose intervals are promised; `held` is `expected.HELD`, at least of the range."""
    grid = expected.intervals(asked.product, asked.zone, asked.start, asked.end)
    own = expected.own(_since_first(grid, asked), asked.instrument)
    told = expected.told(asked.product, own, held, asked.now)
    present = told.filter("present")
    days = _local_days(asked).join(_by_day(own, told), on="day", how="left", maintain_order="left")
    counts = pl.col("expected", "present", "missing").fill_null(0)
    gaps = expected.gaps(told, present["start"])
    missing = told.height - present.height
    return Coverage(told.height, present.height, missing, gaps, days.with_columns(counts).select(*DAYS))


def irregular(asked: Asked, held: pl.DataFrame) -> Coverage:
    """Of a product whose runs come when they are needed: its gaps are the times in which no price holds.

    The run that held when the day of the first price began is not stored: one is taken to have begun then.
    """
    runs = held.filter(pl.col("start") >= asked.start, pl.col("start") < asked.end)
    (begin, until), hold = _watched(asked), asked.product.max_hold or timedelta(0)
    gaps = pl.DataFrame(schema=dict(expected.GAPS))
    if begin < until and asked.first is not None:
        before = _local_day(asked.first, asked.zone)["day_start"]
        unseen = pl.DataFrame([(before, before, before + hold)], schema=dict(expected.HELD), orient="row")
        gaps = expected.holes(pl.concat([unseen, held]), hold, begin, until)
    counted = runs.select("start", pl.lit(1, pl.Int64).alias("count"))
    days = _counted_days(asked, counted).with_columns(_undisturbed(gaps, asked.zone, begin, until).alias("complete"))
    return Coverage(None, runs.height, None, gaps, days.select(*DAYS))


def streamed(asked: Asked, counted: pl.DataFrame) -> Coverage:
    """Of a stream, or of trading days; `counted` is `COUNTED` of the range."""
    total = int(counted["count"].sum())
    days = _counted_days(asked, counted).with_columns(pl.lit(None, pl.Boolean).alias("complete"))
    return Coverage(None, total, None, None, days.select(*DAYS))


def next_due(product: Product, instrument: str, zone: str, start: datetime, end: datetime | None) -> datetime | None:
    """When the price after one of [start, end) is expected; None where nothing says so."""
    if product.irregular and product.cadence is not None:
        return start + product.cadence + product.due
    length = expected.step(product)
    if length is None:
        return None
    after = expected.floor(end or start + length, length)
    grid = expected.own(expected.intervals(product, zone, after, after + _AHEAD), instrument)
    return None if grid.is_empty() else grid["due"][0]


def last_day(product: Product, zone: str, now: datetime) -> datetime:
    """The end of today, in UTC; of tomorrow, where tomorrow's prices are expected by now."""
    today = _local_day(now, zone)
    tomorrow = _local_day(today["day_end"], zone)
    is_due = product.forward and tomorrow["day_start"] + product.due <= now
    return tomorrow["day_end"] if is_due else today["day_end"]


def days_before(end: datetime, zone: str, days: int) -> datetime:
    """The first instant of the local days that lead up to an instant, the one that holds its last moment included."""
    last = _local_day(end - timedelta(microseconds=1), zone)
    noon = last["day_start"] + timedelta(hours=12) - timedelta(days=days - 1)
    return _local_day(noon, zone)["day_start"]


def _since_first(grid: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    if asked.first is None:
        return grid.clear()
    return grid.filter(pl.col("day") >= _local_day(asked.first, asked.zone)["day"])


def _by_day(own: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """`DAYS` of the days that promise something; some of it, or nothing yet, is expected by now."""
    promised = own.group_by("day").agg(pl.len().cast(pl.Int64).alias("promised"))
    counts = told.group_by("day").agg(pl.len().cast(pl.Int64).alias("expected"), pl.col("present").sum().cast(pl.Int64))
    joined = promised.join(counts, on="day", how="left")
    missing = (pl.col("expected") - pl.col("present")).alias("missing")
    whole = pl.when(pl.col("expected") == pl.col("promised")).then(pl.lit(value=True))
    complete = pl.when(pl.col("missing") > 0).then(pl.lit(value=False)).otherwise(whole)
    return joined.with_columns(missing).with_columns(complete.alias("complete"))


def _watched(asked: Asked) -> tuple[datetime, datetime]:
    """The part of the range in which a price of an irregular product must hold."""
    if asked.first is None:
        return asked.end, asked.end
    begin = max(asked.start, _local_day(asked.first, asked.zone)["day_start"])
    return begin, min(asked.end, asked.now - asked.product.due)


def _undisturbed(gaps: pl.DataFrame, zone: str, begin: datetime, until: datetime) -> pl.Expr:
    """Boolean of days (`day`, `from`, `to`): no gap touches them; null for one that is not over."""
    touched = calendar.local_days(gaps.with_columns(zone=pl.lit(zone)), "zone")["day"].unique()
    over = pl.when((pl.col("to") <= until) & (pl.col("to") > begin)).then(pl.lit(value=True))
    return pl.when(pl.col("day").is_in(touched.implode())).then(pl.lit(value=False)).otherwise(over)


def _counted_days(asked: Asked, counted: pl.DataFrame) -> pl.DataFrame:
    """Days (`day`, `from`, `to`) with `present` alone."""
    day = pl.col("start").dt.convert_time_zone(asked.zone).dt.date().alias("day")
    sums = counted.group_by(day).agg(pl.col("count").sum().alias("present"))
    days = _local_days(asked).join(sums, on="day", how="left", maintain_order="left")
    unknown: Sequence[pl.Expr] = [pl.lit(None, pl.Int64).alias(name) for name in ("expected", "missing")]
    return days.with_columns(pl.col("present").fill_null(0), *unknown)


def _local_days(asked: Asked) -> pl.DataFrame:
    """Each local day of the range, with the part of it ([from, to)) that the range holds."""
    rows = pl.DataFrame({"start": [asked.start], "end": [asked.end], "zone": [asked.zone]})
    days = calendar.local_days(rows.cast({"start": INSTANT, "end": INSTANT}), "zone").sort("day")
    part = pl.max_horizontal("day_start", "start").alias("from"), pl.min_horizontal("day_end", "end").alias("to")
    return days.select("day", *part)


def _local_day(at: datetime, zone: str) -> dict[str, datetime]:
    """`day`, `day_start`, `day_end` of the local day that holds an instant."""
    rows = pl.DataFrame({"start": [at], "end": [at + timedelta(microseconds=1)], "zone": [zone]})
    return calendar.local_days(rows.cast({"start": INSTANT, "end": INSTANT}), "zone").row(0, named=True)
