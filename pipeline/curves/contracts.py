"""Which delivery a contract's code stands for: the calendar says so first, the written grammar where it does not.

Grammar (after the curve's root, which a `-` may follow): a month's letter (FGHJKMNQUVXZ) and two digits of the year,
or a period: `Q1-26`, `CAL-26` (calendar year), `SUM-26` (April to October 2026), `WIN-26` (November 2026 to March
2027), which are the seasons of North American gas. Years are those of this century.

A nearby position is no contract: position k of a day is the k-th contract of the calendar whose last trade is on that
day or later. On its last trade day a contract is still the first, so that a roll is no market move.
"""

import re
from typing import Final

import polars as pl

from pipeline.trading import MONTH_LETTERS

CONTRACT: Final = {
    "contract": pl.String(), "delivery_start": pl.Date(), "delivery_end": pl.Date(), "last_trade": pl.Date(),
}  # fmt: skip
_CENTURY: Final = 2000
_PERIOD: Final = rf"(?:(?<letter>[{MONTH_LETTERS}])|(?:Q(?<quarter>[1-4])|(?<named>CAL|SUM|WIN))-)(?<year>[0-9]{{2}})"
_FIRST_MONTH: Final = {"CAL": 1, "SUM": 4, "WIN": 11}
_LENGTH: Final = {"CAL": "12mo", "SUM": "7mo", "WIN": "5mo"}


def positions(codes: pl.Series, root: str | None) -> pl.Series:
    """The nearby position (Int64) that each code names, such as 1 of `NG01`; null for any other code."""
    return codes.str.extract(f"^{re.escape(root or '')}([0-9]{{2}})$").cast(pl.Int64)


def nearby(asked: pl.DataFrame, contracts: pl.DataFrame) -> pl.DataFrame:
    """`asked` (day, position, …) with CONTRACT of each; nulls beyond the calendar.

    `contracts`: CONTRACT of one root, in order of `last_trade`.
    """
    if contracts.is_empty():
        return asked.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in CONTRACT.items())
    ahead = contracts["last_trade"].search_sorted(asked["day"], side="left").cast(pl.Int64)
    place = ahead + asked["position"] - 1
    # Up to the last trade of the first contract nothing tells which others went before it.
    within = (asked["position"] >= 1) & (place < contracts.height) & (asked["day"] > contracts["last_trade"].min())
    found = contracts.select(pl.col(list(CONTRACT)).gather(pl.lit(place.set(~within, None))))
    return asked.hstack(found)


def named(codes: pl.Series, root: str | None, contracts: pl.DataFrame) -> pl.DataFrame:
    """CONTRACT of each distinct code, with `code`; nulls where it names no delivery. `last_trade` is null where the
    calendar does not list the contract."""
    distinct = codes.unique().drop_nulls().to_frame("code")
    written = _written(distinct, root)
    listed = contracts.select(pl.col("contract").alias("code"), pl.col(list(CONTRACT)).name.suffix(" listed"))
    found = written.join(listed, on="code", how="left")
    return found.select("code", *(pl.coalesce(f"{name} listed", name).alias(name) for name in CONTRACT))


def _written(distinct: pl.DataFrame, root: str | None) -> pl.DataFrame:
    """`code` and CONTRACT by the grammar."""
    told = pl.col("code").str.extract_groups(f"^(?:{re.escape(root or '')}-?){_PERIOD}$")
    parts = distinct.with_columns(told.alias("told")).unnest("told")
    month = pl.coalesce(
        pl.col("letter").replace_strict(list(MONTH_LETTERS), range(1, 13), default=None, return_dtype=pl.Int64),
        pl.col("quarter").cast(pl.Int64) * 3 - 2,
        pl.col("named").replace_strict(_FIRST_MONTH, default=None, return_dtype=pl.Int64),
    )
    first = pl.date(pl.col("year").cast(pl.Int64) + _CENTURY, month, 1)
    length = pl.coalesce(
        pl.col("named").replace_strict(_LENGTH, default=None, return_dtype=pl.String),
        pl.when(pl.col("quarter").is_not_null()).then(pl.lit("3mo")),
        pl.when(pl.col("letter").is_not_null()).then(pl.lit("1mo")),
    )
    dated = parts.select("code", start=first, length=length)
    return dated.select(
        "code",
        pl.when(pl.col("length").is_not_null()).then("code").alias("contract"),
        pl.col("start").alias("delivery_start"),
        pl.col("start").dt.offset_by(pl.col("length").fill_null("1mo")).alias("delivery_end"),
        pl.lit(None, dtype=pl.Date).alias("last_trade"),
    ).with_columns(
        pl.when(pl.col("contract").is_not_null()).then(name).alias(name) for name in ("delivery_start", "delivery_end")
    )
