"""ISO 8601 text to UTC instants, exactly to the microsecond: an instant needs an offset, and nothing is guessed."""

from typing import Final

import polars as pl

from pipeline.rejects import no_problem
from pipeline.schema import EARLIEST, INSTANT, LATEST

_SHAPE: Final = (
    "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]"  # polars alone reads second 60, blanks, `2024-1-1`
)
_MILLISECONDS: Final = (rf"^{_SHAPE}\.[0-9]{{3}}Z$", "%Y-%m-%dT%H:%M:%S.%3fZ")
_SECONDS: Final = (rf"^{_SHAPE}(?:Z|[+-]00:00)$", "%Y-%m-%dT%H:%M:%S")
_ANY: Final = (
    r"^(?<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?<clock>[0-9]{2}:[0-9]{2})"
    r"(?::(?<second>[0-5][0-9])(?:[.,](?<fraction>[0-9]{1,30}))?)?"
    r"(?<offset>[Zz]|(?<sign>[+-])(?<hours>[01][0-9]|2[0-3])(?::?(?<minutes>[0-5][0-9]))?)?$"
)
_MICROSECOND_DIGITS: Final = 6
_NOTHING: Final = pl.Series([None], dtype=pl.String)

NOT_A_TIME: Final = "is not an ISO 8601 instant such as 2024-01-01T00:00:00Z"
NO_OFFSET: Final = "has no offset from UTC: end it with Z or +hh:mm"
TOO_FINE: Final = "is finer than a microsecond: at most 6 decimals of a second are kept"
OUT_OF_BOUNDS: Final = f"is outside {EARLIEST:%Y-%m-%d} to {LATEST:%Y-%m-%d}"
ABSENT: Final = "is absent"


def instants(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """(UTC instants, reasons) of a text column: every cell has exactly one of the two, a null cell the reason
    `ABSENT`."""
    if not text.len():
        return pl.Series(dtype=INSTANT), pl.Series(dtype=pl.String)
    values = _in_bounds(_in_milliseconds(text))
    reasons = no_problem(text.len())
    odd = values.is_null().arg_true()
    if not odd.len():
        return values, reasons
    read = _any_form(text.gather(odd).alias("text"))
    return values.scatter(odd, read["value"]), reasons.scatter(odd, read["reason"])


def _in_bounds(values: pl.Series) -> pl.Series:
    return values.set(~values.is_between(EARLIEST, LATEST, closed="left"), None)


def _in_milliseconds(text: pl.Series) -> pl.Series:
    """The two forms that feeds write, read at once; null for every other text."""
    shape, form = _MILLISECONDS
    fine = text.str.contains(shape)
    if fine.all() and not text.null_count():
        return text.str.to_datetime(form, time_unit="us", strict=False).dt.replace_time_zone("UTC")
    shape, form = _SECONDS
    whole = text.zip_with(text.str.contains(shape), _NOTHING).str.slice(0, 19)
    return (
        text.zip_with(fine, _NOTHING)
        .str.to_datetime(_MILLISECONDS[1], time_unit="us", strict=False)
        .zip_with(fine.fill_null(value=False), whole.str.to_datetime(form, time_unit="us", strict=False))
        .dt.replace_time_zone("UTC")
    )


def _any_form(text: pl.Series) -> pl.DataFrame:
    """`value` and `reason` of texts in any ISO 8601 form with a date and a time of day."""
    parts = text.str.extract_groups(_ANY).struct.unnest().with_columns(text=text)
    micros = pl.col("fraction").fill_null("").str.slice(0, _MICROSECOND_DIGITS)
    local = pl.format("{}T{}:{}", "day", "clock", pl.col("second").fill_null("00")).str.to_datetime(
        "%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False
    )
    shift = pl.col("hours").cast(pl.Int64).fill_null(0) * 60 + pl.col("minutes").cast(pl.Int64).fill_null(0)
    return (
        parts.with_columns(
            value=local
            + pl.duration(microseconds=micros.str.pad_end(_MICROSECOND_DIGITS, "0").cast(pl.Int64))
            - pl.duration(minutes=pl.when(pl.col("sign") == "-").then(-shift).otherwise(shift)),
            finer=pl.col("fraction").str.slice(_MICROSECOND_DIGITS).str.contains("[1-9]").fill_null(value=False),
        )
        .with_columns(pl.col("value").dt.replace_time_zone("UTC"), reason=_reason())
        .select(pl.when(pl.col("reason").is_null()).then("value").alias("value"), "reason")
    )


def _reason() -> pl.Expr:
    value = pl.col("value").dt.replace_time_zone("UTC")
    return (
        pl.when(pl.col("text").is_null())
        .then(pl.lit(ABSENT))
        .when(pl.col("value").is_null())
        .then(pl.lit(NOT_A_TIME))
        .when(pl.col("offset").is_null())
        .then(pl.lit(NO_OFFSET))
        .when("finer")
        .then(pl.lit(TOO_FINE))
        .when(~value.is_between(EARLIEST, LATEST, closed="left"))
        .then(pl.lit(OUT_OF_BOUNDS))
    )
