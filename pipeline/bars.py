"""Which buckets a batch touches: the coordinates from which bars are computed again.

They come from the batch itself, never from what an insert changed, so that a repeated batch touches the same
buckets. The bars are computed where the ticks are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import polars as pl

from pipeline import calendar, products
from pipeline.schema import INSTANT, Schema


@dataclass(frozen=True, slots=True)
class Interval:
    """A bar length; `seconds` is null for the market day."""

    name: str
    seconds: int | None


INTERVALS: Final[Mapping[str, Interval]] = MappingProxyType(
    {
        name: Interval(name, seconds)
        for name, seconds in (("10s", 10), ("1m", 60), ("5m", 300), ("15m", 900), ("1h", 3600), ("1d", None))
    }
)
"""Every interval from the finest to the coarsest; `10s` is internal."""

GENERIC: Final = 1  # source_rank of a generic tick: the ticks that form a stream

TOUCHED: Final[Schema] = {
    "tenant": pl.String(),
    "instrument": pl.String(),
    "market": pl.String(),
    "product": pl.String(),
    "zone": pl.String(),  # whose day the 1d bar is
    "interval": pl.String(),
    "start": INSTANT,  # the bucket [start, end)
    "end": INSTANT,
    "bucket": INSTANT,  # the key under which the ticks of the (finest) bucket lie
}


def intervals(market: str, product: str) -> tuple[Interval, ...]:
    """The intervals that are made for a product, from its finest to `1d`."""
    order = list(INTERVALS)
    finest = products.product(market, product).finest
    return tuple(INTERVALS[name] for name in order[order.index(finest) :])


def bucket(ticks: pl.DataFrame) -> pl.Expr:
    """What the ticks table is keyed by: 10 seconds for stream ticks, the UTC day for interval products."""
    ts = pl.col("ts")
    ranks = ticks["source_rank"]
    if (ranks == GENERIC).all():
        return calendar.floor(ts, 10)
    stream = pl.col("source_rank") == GENERIC
    return pl.when(stream).then(calendar.floor(ts, 10)).otherwise(calendar.utc_day(ts))


def touched(ticks: pl.DataFrame) -> pl.DataFrame:
    """`TOUCHED`: the distinct finest buckets that hold the starts of these ticks.

    The day's zone is the ticks' own `zone` column where there is one, else the market's, else UTC.
    """
    own_zone = pl.col("zone") if "zone" in ticks.columns else pl.lit(None, dtype=pl.String)
    finest = _finest(ticks)
    one_grid = finest["seconds"].n_unique() == 1
    seconds: int | pl.Expr = finest["seconds"][0] if one_grid else pl.col("seconds")
    keyed = ticks if one_grid else ticks.join(finest, on=["market", "product"])
    return (
        keyed.select(
            *("tenant", "instrument", "market", "product"),
            zone=own_zone,
            start=calendar.floor(pl.col("start"), seconds),
            bucket=bucket(ticks),
        )
        .unique(["tenant", "instrument", "start", "bucket"])
        .join(finest, on=["market", "product"])
        .with_columns(pl.coalesce("zone", "market_zone").alias("zone"))
        .with_columns(end=pl.col("start") + pl.duration(seconds="seconds"))
        .select(list(TOUCHED))
    )


def coarser(touched: pl.DataFrame) -> pl.DataFrame:
    """`TOUCHED`: the distinct buckets of every coarser interval that hold the given ones; `bucket` is null.

    A `1d` bucket is the local day of `zone`: 23, 24 or 25 hours.
    """
    return pl.concat([_held_by(touched, interval) for interval in INTERVALS.values()])


def _held_by(touched: pl.DataFrame, interval: Interval) -> pl.DataFrame:
    order = list(INTERVALS)
    finer = touched.filter(pl.col("interval").is_in(order[: order.index(interval.name)]))
    if interval.seconds is None:
        days = calendar.local_days(finer, "start", "zone")
        cut = days.with_columns(start=pl.col("day_start"), end=pl.col("day_end"))
    else:
        start = calendar.floor(pl.col("start"), interval.seconds)
        cut = finer.with_columns(start=start, end=start + pl.duration(seconds=interval.seconds))
    return (
        cut.with_columns(interval=pl.lit(interval.name), bucket=pl.lit(None, dtype=INSTANT))
        .select(list(TOUCHED))
        .unique(["tenant", "instrument", "start"])
    )


def _finest(ticks: pl.DataFrame) -> pl.DataFrame:
    """The finest interval, its seconds and the market's zone of each (market, product) of the ticks."""
    pairs = ticks.select("market", "product").unique()
    finest = [INTERVALS[products.product(*pair).finest] for pair in pairs.iter_rows()]
    return pairs.with_columns(
        pl.Series("interval", [interval.name for interval in finest], dtype=pl.String),
        pl.Series("seconds", [interval.seconds for interval in finest], dtype=pl.Int64),
        pl.Series("market_zone", [_day_zone(*pair) for pair in pairs.iter_rows()], dtype=pl.String),
    )


def _day_zone(market: str, product: str) -> str:
    by_market = products.product(market, product).day == "market"
    return products.market(market).zone if by_market else "UTC"
