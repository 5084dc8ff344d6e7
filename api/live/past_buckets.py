"""Which bars hold prices: of the intervals that are wanted, as far as an instrument has them."""

from datetime import timedelta
from typing import Final

import polars as pl

from api import shapes
from api.live.selection import Selection
from db.clickhouse.bounds import Range
from db.clickhouse.known_bars import wanted
from db.clickhouse.rollup import SECONDS
from pipeline import bars
from pipeline.schema import EARLIEST, INSTANT, LATEST

_WHO: Final = ("tenant", "instrument")
_HOUR_S: Final = SECONDS["1h"]  # of those of a day: its zone is its own
_FACTS: Final = ("market", "product", "zone")
_EVER: Final = Range(EARLIEST, LATEST, 2**62)


def intervals(selection: Selection) -> list[str]:
    """Those that a selection is of."""
    return [selection.interval] if selection.interval else [each for each in bars.INTERVALS if each != "10s"]


def reached(prices: pl.DataFrame, reference: pl.DataFrame) -> pl.DataFrame:
    """`tenant, instrument, start`: the finest buckets in which prices (`tenant, instrument, ts, start`) lie, or may
    have lain before they were corrected."""
    known = prices.join(reference.select(*_WHO, *_FACTS), on=_WHO)
    if known.is_empty():
        return known.select(*_WHO, "start")
    runs = bars.touched(known)
    every = [_cut(some, str(interval)) for (interval,), some in runs.group_by("interval")]
    return pl.concat(every)


def _cut(runs: pl.DataFrame, interval: str) -> pl.DataFrame:
    """The beginnings of the buckets of runs."""
    last = pl.col("end") - timedelta(microseconds=1)
    starts = pl.datetime_ranges("start", last, interval=f"{SECONDS[interval]}s", time_unit="us", time_zone="UTC")
    return runs.select(*_WHO, start=starts).explode("start")


def holding(starts: pl.DataFrame, reference: pl.DataFrame, interval: str) -> pl.DataFrame:
    """The bars (`pipeline.bars.TOUCHED`) of an interval that hold instants (`tenant, instrument, start`) of instruments
    of the reference that have such bars."""
    pairs = reference.select("market", "product").unique()
    made = [not shapes.is_finer(interval, shapes.finest_bar(*pair)) for pair in pairs.iter_rows()]
    of = reference.join(pairs.filter(pl.Series(made, dtype=pl.Boolean)), on=pairs.columns, how="semi")
    seconds = SECONDS.get(interval, _HOUR_S)
    floored = starts.join(of, on=_WHO, how="semi").select(*_WHO, pl.col("start").dt.truncate(f"{seconds}s"))
    seen = floored.with_columns(pl.col("start").cast(INSTANT)).group_by(*_WHO, "start").agg(seen=pl.len())
    touched, _ = wanted(seen, interval, of, _EVER, None)
    return touched
