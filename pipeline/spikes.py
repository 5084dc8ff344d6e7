"""`VOLUME_SPIKE`: a volume far beyond what is usual, by the history that is there when it is read; never stored."""

from datetime import timedelta
from typing import Final

import polars as pl

from pipeline.flags import Flag

TIMES: Final = 10
LOOK_BACK: Final = timedelta(days=7)
ENOUGH: Final = 100  # ticks before, of which something can be called usual
_WHO: Final = ("tenant", "instrument")


def flagged(ticks: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """The ticks with `VOLUME_SPIKE` in `flags`: more than `TIMES` the mean volume of the instrument's ticks in the
    `LOOK_BACK` before the tick's day, where these are at least `ENOUGH`.

    `days`: the daily bars around, `tenant, instrument, start, volume, count`.
    """
    if ticks["volume"].null_count() == ticks.height or days.is_empty():
        return ticks
    usual = _usual(days)
    if not usual.select(_spike(pl.lit(ticks["volume"].max())).any()).item():
        return ticks  # the largest is none anywhere
    dated = ticks.with_row_index("_at").sort("start")
    beside = dated.join_asof(
        usual.sort("day"), left_on="start", right_on="day", by=list(_WHO), strategy="backward", check_sortedness=False
    )
    spiking = _spike(pl.col("volume")).fill_null(value=False)
    bit = pl.when(spiking).then(int(Flag.VOLUME_SPIKE)).otherwise(0).cast(pl.UInt32)
    return beside.with_columns(flags=pl.col("flags") | bit).sort("_at").select(ticks.columns)


def _spike(volume: pl.Expr) -> pl.Expr:
    """Boolean, beside a row of `_usual`."""
    return (pl.col("_ticks") >= ENOUGH) & (volume * pl.col("_ticks") > pl.col("_volume") * TIMES)


def _usual(days: pl.DataFrame) -> pl.DataFrame:
    """`day` with the volume and the ticks of the days before it."""
    known = days.filter(pl.col("volume").is_not_null()).select(
        *_WHO, "start", pl.col("volume").cast(pl.Decimal(38, 9)), "count"
    )
    before = days.select(*_WHO, day="start").join(known, on=list(_WHO))
    within = (pl.col("start") < pl.col("day")) & (pl.col("start") >= pl.col("day") - LOOK_BACK)
    return (
        before.filter(within).group_by(*_WHO, "day").agg(_volume=pl.col("volume").sum(), _ticks=pl.col("count").sum())
    )
