"""Naive time stamps in the forms that exchanges write, to datetimes. Whose clock they show, a market knows."""

from typing import Final

import polars as pl

from pipeline.distinct import spread

_SHAPE: Final = (
    r"^\s*(?:(?<y>[0-9]{4})[/-](?<m>[0-9]{1,2})[/-](?<d>[0-9]{1,2})"
    r"|(?<month>[0-9]{1,2})/(?<day>[0-9]{1,2})/(?<year>[0-9]{4}|[0-9]{2}))"
    r"(?:(?:[Tt]| +)(?<hour>[0-9]{1,2}):(?<minute>[0-5][0-9])(?::(?<second>[0-5][0-9])(?:\.0+)?)?"
    r"(?: ?(?<half>[AaPp])[Mm])?)?\s*$"
)
_NOON: Final = 12


def local(text: pl.Series) -> pl.Series:
    """The naive times (microseconds) of stamps; null for what is none. Equal stamps in a row are read once.

    Forms: `2024-02-20`, `2024-02-20T05:00:00`, `2024/02/20 05:00`, `02/20/2024 05:00:00`, `2/20/24 5:00`,
    `2/20/2024 5:00:00 AM`. A date alone is its midnight; two digits of a year are of 1999 to 2098.
    """
    return spread(text.to_frame("text"), lambda cells: each(cells["text"]).to_frame())["local"]


def each(text: pl.Series) -> pl.Series:
    """The same of stamps that differ: each is read."""
    parts = text.to_frame("text").select(pl.col("text").str.extract_groups(_SHAPE))
    parts = parts.unnest("text")
    halves = parts["half"].null_count() < parts.height
    return parts.select((_OF_TWICE_12 if halves else _OF_24).alias("local")).to_series()


def _written(hour: pl.Expr) -> pl.Expr:
    """The stamp in one form for all."""
    year = pl.coalesce("y", "year")
    century = pl.when(year == "99").then(pl.lit("19")).otherwise(pl.lit("20"))  # the markets opened from 1999 on
    month, day = pl.coalesce("m", "month"), pl.coalesce("d", "day")
    full = pl.when(year.str.len_chars() == 2).then(century + year).otherwise(year)
    return pl.format("{}-{}-{} {}:{}:{}", full, month, day, hour, _or_zeros("minute"), _or_zeros("second"))


def _hour() -> pl.Expr:
    """Of 24 hours; null for hours that a clock of twice 12 does not have."""
    hour, half = pl.col("hour").cast(pl.Int64), pl.col("half").str.to_lowercase()
    within = hour % _NOON + pl.when(half == "p").then(_NOON).otherwise(0)
    told = pl.when(half.is_null()).then(hour).when(hour.is_between(1, _NOON)).then(within)
    return pl.when(hour.is_null()).then(pl.lit("00")).otherwise(told.cast(pl.String))


def _or_zeros(name: str) -> pl.Expr:
    return pl.col(name).fill_null("00")


def _read(written: pl.Expr) -> pl.Expr:
    return written.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)


_OF_24: Final = _read(_written(_or_zeros("hour")))
_OF_TWICE_12: Final = _read(_written(_hour()))
