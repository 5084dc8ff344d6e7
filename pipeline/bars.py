"""Which buckets a batch touches: the coordinates from which bars are computed again.

They come from the batch itself, never from what an insert changed, so that a repeated batch touches the same
buckets. The bars are computed where the ticks are stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import polars as pl

from pipeline import calendar, products, runs
from pipeline.schema import INSTANT, Schema, conform


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

# One row a run of buckets: [start, end) is cut into buckets of the interval's length. Of `1d` one row is one day.
TOUCHED: Final[Schema] = {
    "tenant": pl.String(),
    "instrument": pl.String(),
    "market": pl.String(),
    "product": pl.String(),
    "zone": pl.String(),  # whose day the 1d bar is
    "interval": pl.String(),
    "start": INSTANT,
    "end": INSTANT,
}
_WHO: Final = ("tenant", "instrument", "market", "product", "zone")
_MICROSECOND: Final = pl.duration(microseconds=1)
_SECONDS: Final = {name: interval.seconds or 0 for name, interval in INTERVALS.items()}


def intervals(market: str, product: str) -> tuple[Interval, ...]:
    """The intervals that are made for a product, from its finest to `1d`."""
    order = list(INTERVALS)
    finest = products.product(market, product).finest
    return tuple(INTERVALS[name] for name in order[order.index(finest) :])


def touched(ticks: pl.DataFrame) -> pl.DataFrame:
    """`TOUCHED`: the finest buckets that hold the starts of these ticks, or may hold those of their identities.

    The day's zone is the ticks' own `zone` column where there is one, else the market's, else UTC.
    """
    starts = ticks.select("tenant", "instrument", "market", "product", "start", _own_zone(ticks))
    if (ended := by_end(ticks)).any():
        starts = pl.concat([starts.filter(~ended), *_anywhere(starts.filter(ended), ticks["ts"].filter(ended))])
    coded = starts.with_columns(code=runs.codes(starts))
    finest = _finest(ticks)
    one_grid = finest["seconds"].n_unique() == 1
    placed = coded if one_grid else coded.join(finest, on=["market", "product"], maintain_order="left")
    place = runs.places(placed["start"], finest["seconds"][0] if one_grid else placed["seconds"])
    heads = coded.unique("code").join(finest, on=["market", "product"])
    known = heads.with_columns(pl.coalesce("zone", "market_zone").alias("zone"))
    return _shown(runs.of_buckets(placed["code"] * runs.PLACES + place), known)


def by_end(frame: pl.DataFrame) -> pl.Series:
    """Boolean: the row's market and product are `by_end`."""
    ended = [each for each in products.PRODUCTS.values() if each.by_end]
    told = [(pl.col("market") == each.market) & (pl.col("product") == each.name) for each in ended]
    return frame.select(pl.any_horizontal(pl.lit(value=False), *told).alias("by_end")).to_series()


def _anywhere(rows: pl.DataFrame, ends: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows at the first and at the last instant at which a publication of the same price may begin."""
    native = rows.join(_finest(rows), on=["market", "product"], how="left", maintain_order="left")["seconds"]
    first = pl.select(pl.lit(ends) - pl.duration(seconds=pl.lit(native))).to_series()
    last = ends - timedelta(microseconds=1)
    return rows.with_columns(start=first.cast(INSTANT)), rows.with_columns(start=last)


def united(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """`TOUCHED`: the buckets of all the frames, each once."""
    together = pl.concat(frames)
    parts = [_within(together.filter(pl.col("interval") == name), name) for name in together["interval"].unique()]
    return pl.concat(parts) if parts else together


def coarser(touched: pl.DataFrame) -> pl.DataFrame:
    """`TOUCHED`: the buckets of every coarser interval that hold the given ones.

    A `1d` bucket is the local day of `zone`: 23, 24 or 25 hours.
    """
    order = list(INTERVALS)
    finer = {name: touched.filter(pl.col("interval").is_in(order[:at])) for at, name in enumerate(order)}
    return pl.concat([_within(rows, name) for name, rows in finer.items()])


def count(touched: pl.DataFrame) -> int:
    """How many buckets these are."""
    seconds = pl.col("interval").replace_strict(_SECONDS, return_dtype=pl.Int64)
    length = (pl.col("end") - pl.col("start")).dt.total_seconds()
    return touched.select(pl.when(seconds > 0).then(length // seconds).otherwise(1).sum()).item()


def last_buckets(touched: pl.DataFrame) -> pl.DataFrame:
    """`TOUCHED`: of every instrument the newest bucket alone."""
    last = touched.sort("end").unique(["tenant", "instrument"], keep="last", maintain_order=True)
    length = pl.duration(seconds=pl.col("interval").replace_strict(_SECONDS, return_dtype=pl.Int64))
    return last.filter(pl.col("interval") != "1d").with_columns(start=pl.col("end") - length)


def halves(touched: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """About half of the buckets and the others; of a single bucket the first half is empty."""
    if touched.height > 1:
        return touched.head(touched.height // 2), touched.tail(touched.height - touched.height // 2)
    half = pl.duration(seconds=_SECONDS[touched["interval"][0]] * (count(touched) // 2))
    middle = pl.col("start") + half
    first = touched.with_columns(end=middle).filter(pl.col("end") > pl.col("start"))
    return first, touched.with_columns(start=middle)


def _own_zone(ticks: pl.DataFrame) -> pl.Expr:
    return (pl.col("zone") if "zone" in ticks.columns else pl.lit(None, dtype=pl.String)).alias("zone")


def _within(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """The buckets of an interval that hold the given runs."""
    seconds = INTERVALS[name].seconds
    if seconds is None:
        return _days(rows)
    code = runs.codes(rows)
    first, last = rows["start"], rows.select(pl.col("end") - _MICROSECOND).to_series()
    base = code * runs.PLACES
    found = runs.of_ranges(base + runs.places(first, seconds), base + runs.places(last, seconds))
    heads = rows.select(*_WHO, interval=pl.lit(name), code=code).unique("code")
    return _shown(found, heads.with_columns(seconds=pl.lit(seconds)))


def _days(rows: pl.DataFrame) -> pl.DataFrame:
    days = calendar.local_days(rows, "zone").with_columns(interval=pl.lit("1d"), start="day_start", end="day_end")
    return conform(days.select(list(TOUCHED)).unique(["tenant", "instrument", "start"]), TOUCHED)


def _shown(found: pl.DataFrame, heads: pl.DataFrame) -> pl.DataFrame:
    """TOUCHED of runs, whose instruments are the `heads` by `code`, each with its `interval` and `seconds`."""
    coded = found.with_columns(code=pl.col("first") // runs.PLACES).join(heads, on="code", maintain_order="left")

    def at(place: pl.Expr) -> pl.Expr:
        return (place % runs.PLACES * pl.col("seconds") * 1_000_000).cast(INSTANT)

    return conform(
        coded.with_columns(start=at(pl.col("first")), end=at(pl.col("last") + 1)).select(list(TOUCHED)), TOUCHED
    )


def _finest(ticks: pl.DataFrame) -> pl.DataFrame:
    """The finest interval, its seconds and the market's zone of each (market, product) of the ticks."""
    pairs = ticks.select("market", "product").unique()
    finest = [INTERVALS[products.product(*pair).finest] for pair in pairs.iter_rows()]
    return pairs.with_columns(
        pl.Series("interval", [interval.name for interval in finest], dtype=pl.String),
        pl.Series("seconds", [interval.seconds for interval in finest], dtype=pl.Int64),
        pl.Series("market_zone", [day_zone(*pair) for pair in pairs.iter_rows()], dtype=pl.String),
    )


def day_zone(market: str, product: str) -> str:
    """Whose day the `1d` bar of an instrument is that has no zone of its own."""
    by_market = products.product(market, product).day == "market"
    return products.market(market).zone if by_market else "UTC"
