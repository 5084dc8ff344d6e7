"""The stamps of Data Miner: interval BEGINNING in UTC, and the same instant in Eastern prevailing time beside it."""

from datetime import timedelta
from typing import Final

import polars as pl

from pipeline import stamps, times, wallclock
from pipeline.rejects import SHOWN, no_problem
from pipeline.schema import EARLIEST, INSTANT, LATEST

ZONE: Final = "America/New_York"
_NOT_A_STAMP: Final = "is no time such as 2/20/2024 5:00:00 AM or 2024-02-20T05:00:00"
_NOT_THE_SAME: Final = "is not the Eastern time of datetime_beginning_utc '{}' beside it"


def read(cells: pl.DataFrame) -> pl.DataFrame:
    """`start` (UTC), and the problems `utc problem` and `ept problem`, of rows with `utc`, `ept` or both, `pnode`, and
    perhaps `version`.

    Without a UTC column the order of the rows tells the hour that comes twice, for each version of a price.
    """
    fine = no_problem(cells.height)
    eastern = stamps.local(cells["ept"]) if "ept" in cells.columns else None
    if "utc" not in cells.columns:
        assert eastern is not None
        hours = not (eastern.dt.minute() != 0).any()
        start, problem = wallclock.by_order(eastern, _whose(cells), ZONE, whole_hours=hours)
        return _framed(start, fine, problem.set(eastern.is_null(), _NOT_A_STAMP))
    naive = stamps.local(cells["utc"])
    start = naive.dt.replace_time_zone("UTC").cast(INSTANT)
    unread = fine.set(naive.is_null(), _NOT_A_STAMP)
    if eastern is None:
        return _framed(start, unread, fine)
    differs = (_shown(start) != eastern).fill_null(value=True) & naive.is_not_null()
    if not differs.any():
        return _framed(start, unread, fine)
    told = cells.select(pl.format(_NOT_THE_SAME, pl.col("utc").str.slice(0, SHOWN)).alias("told"))["told"]
    return _framed(start, unread, told.zip_with(differs & ~_blank(cells["ept"]), fine))


def intervals(read: pl.DataFrame, length: timedelta) -> pl.DataFrame:
    """`start`, `end` and the problems, those of the grid and of the bounds among them."""
    micros = length // timedelta(microseconds=1)
    off = (read["start"].dt.epoch("us") % micros != 0).fill_null(value=False)
    outside = ~read["start"].is_between(EARLIEST, LATEST, closed="left").fill_null(value=True)
    beyond = no_problem(read.height).set(off, f"begins no interval of {length}").set(outside, times.OUT_OF_BOUNDS)
    both = ("utc problem", "ept problem")  # which column there is, the caller knows
    told = [read.select(pl.coalesce(name, pl.lit(beyond))).to_series().alias(name) for name in both]
    return read.with_columns(*told, end=pl.col("start") + length)


def _shown(start: pl.Series) -> pl.Series:
    """What the clock shows at each instant; there are few distinct ones."""
    distinct = start.unique()
    clock = pl.DataFrame({"at": distinct, "shown": distinct.dt.convert_time_zone(ZONE).dt.replace_time_zone(None)})
    return pl.DataFrame({"at": start}).join(clock, on="at", how="left", maintain_order="left")["shown"]


def _whose(cells: pl.DataFrame) -> pl.Series:
    parts = [pl.col(name).fill_null("") for name in ("pnode", "version") if name in cells.columns]
    return cells.select(pl.concat_str(parts, separator=" ").alias("whose"))["whose"]


def _blank(text: pl.Series) -> pl.Series:
    return text.fill_null("").str.strip_chars() == ""


def _framed(start: pl.Series, utc: pl.Series, ept: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"start": start.cast(INSTANT), "utc problem": utc, "ept problem": ept})
