"""The times of ERCOT's reports: Central prevailing time; hours by their number, ENDING; quarters by theirs; runs by
their second. Of the hour that comes twice, the flag marks the second one."""

from typing import Final

import polars as pl

from pipeline import stamps, times, wallclock
from pipeline.markets.ercot_reports import DA, SCED, Report
from pipeline.rejects import no_problem
from pipeline.schema import EARLIEST, INSTANT, LATEST

ZONE: Final = "America/Chicago"
_HOUR: Final = r"^\s*0*([0-9]{1,2})(?::00){0,2}\s*$"
_WHOLE: Final = r"^\s*([0-9]{1,2})\s*$"
_QUARTERS: Final = 4
_HOURS: Final = 24
_FLAGS: Final = {"y": True, "true": True, "1": True, "n": False, "false": False, "0": False}

_NOT_A_DATE: Final = "is no date such as 09/29/2026 or 2026-09-29"
_NOT_A_RUN: Final = "is no time of a run such as 09/29/2026 11:25:17"
_NOT_AN_HOUR: Final = "is no hour ending, 1 to 24"
_NOT_A_QUARTER: Final = "is no quarter of an hour, 1 to 4"
_NOT_A_FLAG: Final = "is no flag: Y or N, true or false"


def told(report: Report) -> list[str]:
    """The roles that tell the time, each with a problem in `places`."""
    return [role for role in ("stamp", "date", "hour", "quarter", "flag") if role in report.columns]


def places(cells: pl.DataFrame, report: Report) -> pl.DataFrame:
    """`start` of each row, null where a problem says why, and `… problem` of each role that tells the time.

    Thousands of rows tell the same time: only distinct ones are read.
    """
    roles = told(report)
    distinct = cells.select(roles).unique(maintain_order=True)
    read = distinct.hstack(_read(distinct, report))
    joined = cells.select(roles).join(read, on=roles, how="left", nulls_equal=True, maintain_order="left")
    return joined.drop(roles)


def _read(cells: pl.DataFrame, report: Report) -> pl.DataFrame:
    local, problems = _run(cells) if report.product == SCED else _interval(cells, report)
    second, problems["flag"] = _flags(cells)
    start, lost = wallclock.by_flag(local, second, ZONE)
    start = start.cast(INSTANT)
    outside = start.is_not_null() & ~start.is_between(EARLIEST, LATEST, closed="left")
    clock, day = ("stamp", "stamp") if report.product == SCED else ("hour", "date")
    problems[clock] = _or(problems[clock], lost.set(problems["flag"].is_not_null(), None))
    problems[day] = _or(problems[day], no_problem(cells.height).set(outside, times.OUT_OF_BOUNDS))
    return pl.DataFrame({"start": start, **{f"{role} problem": problems[role] for role in told(report)}})


def _run(cells: pl.DataFrame) -> tuple[pl.Series, dict[str, pl.Series]]:
    local = stamps.local(cells["stamp"])
    return local, {"stamp": no_problem(cells.height).set(local.is_null(), _NOT_A_RUN)}


def _interval(cells: pl.DataFrame, report: Report) -> tuple[pl.Series, dict[str, pl.Series]]:
    fine = no_problem(cells.height)
    date = stamps.local(cells["date"])
    hour = _number(cells["hour"], _HOUR, _HOURS)
    quarter = pl.repeat(1, cells.height, dtype=pl.Int64, eager=True)
    if report.product != DA:
        quarter = _number(cells["quarter"], _WHOLE, _QUARTERS)
    minutes = (hour - 1) * 60 + (quarter - 1) * 15
    local = pl.select(pl.lit(date) + pl.duration(minutes=pl.lit(minutes))).to_series()
    daily = date.is_null() | (date.dt.truncate("1d") != date)
    return local, {
        "date": fine.set(daily.fill_null(value=True), _NOT_A_DATE),
        "hour": fine.set(hour.is_null(), _NOT_AN_HOUR),
        "quarter": fine.set(quarter.is_null(), _NOT_A_QUARTER),
    }


def _number(text: pl.Series, shape: str, most: int) -> pl.Series:
    number = text.str.extract(shape).cast(pl.Int64)
    return number.set(~number.is_between(1, most), None)


def _flags(cells: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """(second pass, null where nothing is told; problems)."""
    fine = no_problem(cells.height)
    if "flag" not in cells.columns:
        return pl.repeat(None, cells.height, dtype=pl.Boolean, eager=True), fine
    text = cells["flag"].fill_null("").str.strip_chars().str.to_lowercase()
    second = text.replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)
    return second, fine.set(second.is_null() & (text != ""), _NOT_A_FLAG)


def _or(first: pl.Series, other: pl.Series) -> pl.Series:
    return pl.select(pl.coalesce(pl.lit(first), pl.lit(other))).to_series()
