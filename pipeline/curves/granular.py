"""The points of a snapshot finer or coarser than they trade, made at reading by pure functions.

A coarser point is the mean over a whole period of what delivers in it, by the weights of the contract: a month of gas
is the same quantity however many days it has, so that each weighs one; power weighs hours. A period that is not wholly
covered has no point. Where a piece crosses the border of a period, and for days, the smooth curve tells the days.
"""

from typing import Final

import polars as pl

from pipeline import blocks, calendar
from pipeline.curves.definitions import Curve
from pipeline.curves.pieces import smoothed
from pipeline.curves.points import CURVE_PRICE, dated, product
from pipeline.curves.weights import weighed
from pipeline.exact import half_even
from pipeline.schema import shaped

PERIODS: Final = ("day", "month", "quarter", "season", "year")
_EVERY: Final = {"day": "1d", "month": "1mo", "quarter": "1q", "year": "1y"}
_KEY: Final = ("tenant", "curve", "session")


def of_pieces(curve: Curve, points: pl.DataFrame, granularity: str) -> pl.DataFrame:
    """The points (tenant, curve and POINTS) of snapshots of a curve as days, months, quarters, seasons or years.

    Refused inputs stay as they are."""
    if granularity == "native":
        return points
    pieces = points.filter(pl.col("role") == "point")
    days = _days(curve, pieces)
    if granularity == "day" or _crosses(days, granularity):
        days = smoothed(curve, days)
    found = dated(curve, _means(days, granularity))
    made = shaped(found, points.schema, {name: name for name in found.columns if name in points.columns})  # pyright: ignore[reportArgumentType]
    both = pl.concat([made, points.filter(pl.col("role") != "point")])
    return both.sort(*_KEY, "role", "start", maintain_order=True)


def of_hours(points: pl.DataFrame, market: str, zone: str, granularity: str, block: str) -> pl.DataFrame:
    """The hours of day-ahead curves that lie in a block (`native`), or their mean over each `day`.

    Raises `DataProcessingError` for a block that the market has not."""
    kept = points if block == blocks.ATC else points.filter(blocks.within(points["start"], block, market))
    if granularity == "native":
        return kept
    first, beyond = calendar.borders(pl.col("session"), zone)
    days = kept.group_by(*_KEY, start=first, end=beyond, maintain_order=True).agg(
        _mean(pl.lit(1, pl.Int128)).alias("price"), *_joined(), role=pl.lit("point"), kind=pl.lit("averaged"),
        product=pl.lit("day" if block == blocks.ATC else "block"),
    )  # fmt: skip
    return shaped(days, points.schema, {name: name for name in days.columns})  # pyright: ignore[reportArgumentType]


def _days(curve: Curve, pieces: pl.DataFrame) -> pl.DataFrame:
    """A row a day of delivery: `day`, its `weight`, and its piece (`piece_start`, `piece_end`, and what it holds)."""
    local = pieces.with_columns(
        piece_start=pl.col("start").dt.convert_time_zone(curve.zone).dt.date(),
        piece_end=pl.col("end").dt.convert_time_zone(curve.zone).dt.date(),
    )
    each = local.with_columns(day=pl.date_ranges("piece_start", "piece_end", closed="left")).explode("day")
    return weighed(curve, each)


def _period(granularity: str) -> tuple[pl.Expr, pl.Expr]:
    """The first day of a day's period, and the first one beyond it. Seasons: April to October, November to March."""
    day = pl.col("day")
    if granularity != "season":
        first = day.dt.truncate(_EVERY[granularity])
        return first, first.dt.offset_by(_EVERY[granularity])
    winter = (day.dt.month() >= 11) | (day.dt.month() <= 3)
    year = day.dt.year() - (day.dt.month() <= 3).cast(pl.Int32)
    first = pl.date(year, pl.when(winter).then(11).otherwise(4), 1)
    return first, pl.date(year + winter.cast(pl.Int32), pl.when(winter).then(4).otherwise(11), 1)


def _crosses(days: pl.DataFrame, granularity: str) -> bool:
    """Whether a piece reaches into two periods."""
    first, beyond = _period(granularity)
    return bool(days.select(((pl.col("piece_start") < first) | (pl.col("piece_end") > beyond)).any()).item())


def _means(days: pl.DataFrame, granularity: str) -> pl.DataFrame:
    first, beyond = _period(granularity)
    placed = days.with_columns(delivery_start=first, delivery_end=beyond)
    whole = (pl.col("delivery_end") - pl.col("delivery_start")).dt.total_days()
    alone = (pl.col("piece_start") == pl.col("delivery_start")) & (pl.col("piece_end") == pl.col("delivery_end"))
    kind = pl.when(alone.all()).then(pl.col("kind").first()).when(pl.lit(granularity == "day"))
    grouped = placed.group_by(*_KEY, "delivery_start", "delivery_end", maintain_order=True).agg(
        _mean(pl.col("weight")).alias("price"), *_joined(), role=pl.lit("point"), days=pl.len(),
        kind=kind.then(pl.lit("interpolated")).otherwise(pl.lit("averaged")),
    )  # fmt: skip
    return grouped.filter(pl.col("days") == whole).with_columns(product=product())


def _joined() -> list[pl.Expr]:
    inputs = pl.col("inputs").list.explode(keep_nulls=False, empty_as_null=False).unique(maintain_order=True)
    return [pl.col("flags").bitwise_or(), pl.col("age").max(), inputs]


def _mean(weight: pl.Expr) -> pl.Expr:
    """Σ weight × price ÷ Σ weight, rounded half to even to 12 decimals, in whole numbers."""
    amount = pl.col("price").cast(CURVE_PRICE).to_physical().cast(pl.Int128)
    total, held = (amount * weight).sum(), (weight + amount * 0).sum()
    scaled = half_even(total, held).cast(pl.Decimal(38, 0))
    return (scaled * pl.lit("0.000000000001").cast(CURVE_PRICE)).cast(CURVE_PRICE)
