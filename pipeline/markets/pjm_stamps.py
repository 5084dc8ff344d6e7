"""The stamps of Data Miner: interval BEGINNING in UTC, and the same instant in Eastern prevailing time beside it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import polars as pl

from pipeline import stamps, times, wallclock
from pipeline.checks import Check, told
from pipeline.distinct import spread
from pipeline.rejects import SHOWN, no_problem
from pipeline.schema import within_bounds

ZONE: Final = "America/New_York"
_NOT_A_STAMP: Final = "is no time such as 2/20/2024 5:00:00 AM or 2024-02-20T05:00:00"
_NOT_THE_SAME: Final = "is not the Eastern time of datetime_beginning_utc '{}' beside it"


def read(cells: pl.DataFrame) -> pl.DataFrame:
    """`start` (UTC), and the problems `utc problem` and `ept problem`, of rows with `utc`, `ept` or both, `pnode`, and
    perhaps `version`.

    Without a UTC column the order of the rows tells the hour that comes twice, for each version of a price.
    """
    if "utc" in cells.columns:
        return spread(cells.select(name for name in ("utc", "ept") if name in cells.columns), _by_utc)
    eastern = stamps.local(cells["ept"])
    hours = not (eastern.dt.minute() != 0).any()
    start, problem = wallclock.by_order(eastern, _whose(cells), ZONE, whole_hours=hours)
    unread = problem.set(eastern.is_null(), _NOT_A_STAMP)
    return pl.DataFrame({"start": start, "utc problem": no_problem(cells.height), "ept problem": unread})


def _by_utc(cells: pl.DataFrame) -> pl.DataFrame:
    """The same of rows whose `utc` tells the instant."""
    naive = stamps.each(cells["utc"])
    read = cells.with_columns(start=naive.dt.replace_time_zone("UTC"))
    both = "ept" in cells.columns
    compared = read.with_columns(eastern=stamps.each(cells["ept"]) if both else None)
    return compared.select("start", _UNREAD.alias("utc problem"), (_OTHER if both else _FINE).alias("ept problem"))


def checks(columns: Mapping[str, str], length: timedelta) -> list[Check]:
    """What may be wrong with rows whose stamps are read, the grid and the bounds among it."""
    roles = [role for role in ("utc", "ept") if role in columns]
    off = pl.col("start").dt.epoch("us") % (length // timedelta(microseconds=1)) != 0
    placed = {times.OUT_OF_BOUNDS: ~within_bounds(pl.col("start")), f"begins no interval of {length}": off}
    return [
        check
        for role in roles
        for check in (
            told(columns[role], role, f"{role} problem"),
            *(Check(columns[role], role, bad, pl.lit(problem)) for problem, bad in placed.items()),
        )
    ]


def _other() -> pl.Expr:
    """The problem of an Eastern time that is not what the clock shows at `start`."""
    shown = pl.col("start").dt.convert_time_zone(ZONE).dt.replace_time_zone(None)
    blank = pl.col("ept").fill_null("").str.strip_chars() == ""
    differs = pl.col("start").is_not_null() & shown.ne_missing(pl.col("eastern")) & ~blank
    return pl.when(differs).then(pl.format(_NOT_THE_SAME, pl.col("utc").str.slice(0, SHOWN)))


def _whose(cells: pl.DataFrame) -> pl.Series:
    parts = [pl.col(name).fill_null("") for name in ("pnode", "version") if name in cells.columns]
    return cells.select(pl.concat_str(parts, separator=" ").alias("whose"))["whose"]


_FINE: Final = pl.lit(None, dtype=pl.String)
_UNREAD: Final = pl.when(pl.col("start").is_null()).then(pl.lit(_NOT_A_STAMP))
_OTHER: Final = _other()
