"""The times of ERCOT's reports: Central prevailing time; hours by their number, ENDING; quarters by theirs; runs by
their second. Of the hour that comes twice, the flag marks the second one."""

from typing import Final

import polars as pl

from pipeline import stamps, times, wallclock
from pipeline.distinct import spread
from pipeline.markets.ercot_reports import DA, QUARTERS, SCED, Report
from pipeline.schema import within_bounds

ZONE: Final = "America/Chicago"
_HOUR: Final = r"^\s*0*([0-9]{1,2})(?::00){0,2}\s*$"
_WHOLE: Final = r"^\s*([0-9]{1,2})\s*$"
_QUARTERS: Final = 4
_HOURS: Final = 24
_SECOND: Final = ("y", "true", "1")
_FIRST: Final = ("n", "false", "0")

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

    Thousands of rows tell the same time: it is read once.
    """
    return spread(cells.select(told(report)), lambda distinct: _read(distinct, report))


def _read(cells: pl.DataFrame, report: Report) -> pl.DataFrame:
    day = stamps.each(cells["stamp" if report.product == SCED else "date"])
    parts = cells.select(*_parts(report), *(_FLAG if "flag" in cells.columns else _NO_FLAG), day=pl.lit(day))
    local = parts["day"] if report.product == SCED else parts.select(_LOCALS[report.product]).to_series()
    start, lost = wallclock.by_flag(local, parts["second"], ZONE)
    timed, problems = parts.with_columns(start=start, lost=lost), _PROBLEMS[report.product]
    return timed.select("start", *(problems[role].alias(f"{role} problem") for role in told(report)))


def _parts(report: Report) -> list[pl.Expr]:
    """Hour and quarter, null where they are none."""
    return [expression for role, expression in _NUMBERS.items() if role in report.columns]


def _number(role: str, shape: str, most: int) -> pl.Expr:
    number = pl.col(role).str.extract(shape).cast(pl.Int64)
    return pl.when(number.is_between(1, most)).then(number).alias(role)


def _flag() -> tuple[pl.Expr, pl.Expr]:
    """`second`: it is the second pass, null where nothing is told; `flag`: the problem."""
    text = pl.col("flag").fill_null("").str.strip_chars().str.to_lowercase()
    second = pl.when(text.is_in(_SECOND)).then(pl.lit(value=True)).when(text.is_in(_FIRST)).then(pl.lit(value=False))
    return second.alias("second"), _problem(second.is_null() & (text != ""), _NOT_A_FLAG).alias("flag")


def _problem(bad: pl.Expr, problem: str) -> pl.Expr:
    return pl.when(bad).then(pl.lit(problem))


def _problems() -> dict[str, dict[str, pl.Expr]]:
    """By product and role: what is wrong with its cell, else with the time that all cells tell."""
    day, lost = pl.col("day"), pl.when(pl.col("flag").is_null()).then("lost")
    outside = _problem(~within_bounds(pl.col("start")), times.OUT_OF_BOUNDS)
    hours = {
        "date": pl.coalesce(_problem(day.is_null() | (day.dt.truncate("1d") != day), _NOT_A_DATE), outside),
        "hour": pl.coalesce(_problem(pl.col("hour").is_null(), _NOT_AN_HOUR), lost),
        "flag": pl.col("flag"),
    }
    return {
        SCED: {"stamp": pl.coalesce(_problem(day.is_null(), _NOT_A_RUN), lost, outside), "flag": pl.col("flag")},
        DA: hours,
        QUARTERS: {**hours, "quarter": _problem(pl.col("quarter").is_null(), _NOT_A_QUARTER)},
    }


_HOURLY: Final = pl.col("day") + pl.duration(minutes=(pl.col("hour") - 1) * 60)
_LOCALS: Final = {DA: _HOURLY, QUARTERS: _HOURLY + pl.duration(minutes=(pl.col("quarter") - 1) * 15)}
_NUMBERS: Final = {"hour": _number("hour", _HOUR, _HOURS), "quarter": _number("quarter", _WHOLE, _QUARTERS)}
_FLAG: Final = _flag()
_NO_FLAG: Final = (pl.lit(None, dtype=pl.Boolean).alias("second"), pl.lit(None, dtype=pl.String).alias("flag"))
_PROBLEMS: Final = _problems()
