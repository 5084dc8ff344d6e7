"""A bar as users see it: averages divided once, its revision summed up.

The engine takes longer to plan quotients of wide integers than to read a day of minutes, so they are made here.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from decimal import Decimal
from typing import Final

import polars as pl

from pipeline.exact import as_price, doubled_rest, rounded
from pipeline.schema import DIGITS, PRICE, SCALE

REVISION: Final = "corrections + late_sure + arraySum(late_n)"
_BAR: Final = (
    "tenant, instrument, `interval`, start, `end`, open, high, low, close, volume, count, flags, "
    f"{REVISION} AS revision, updated_at, ver"
)
# What the averages are made of; integers of more than 64 bits as text.
_PARTS: Final = "last_start, last_hold_us, covered_head_us, toString(integral_head) AS head, toString(pv) AS worth"
_MADE_OF: Final = (
    "last_start", "last_hold_us", "covered_head_us", "head", "worth", "covered", "integral", "amount", "value",
)  # fmt: skip
_BEYOND: Final = pl.lit(10**DIGITS, pl.Int128)  # no price has that many units
_ABOVE: Final = pl.col("above")
_BELOW: Final = pl.col("below")
_WIDE: Final = 2**125  # twice as much is still a 128-bit integer


def shown_bars(where: str, bars: str = "bars FINAL", also: str = "") -> str:
    """`SELECT … FROM … WHERE …` of the bars that meet a condition, those without a price (`count` 0) too: of the stored
    ones, or of those in another table of their columns, and further columns. `finished` makes of its rows what users
    see."""
    return f"SELECT {_BAR}, {_PARTS}{also} FROM {bars} WHERE {where}"


def few_bars(where: str) -> str:
    """`SELECT … FROM …` as `shown_bars`, of bars with a price that meet a condition on the sorting key: all that is
    stored of them is sorted in memory, which takes half the time of `FINAL` where it is little."""
    newest = "ORDER BY start, instrument, tenant, ver DESC LIMIT 1 BY start, instrument, tenant"
    return f"SELECT * FROM ({shown_bars(where, 'bars')} {newest}) WHERE count > 0"


def finished(found: pl.DataFrame) -> pl.DataFrame:
    """Of rows of `shown_bars`: tenant, instrument, interval, start, end, open, high, low, close, volume, count, flags,
    revision, updated_at, ver, vwap (null without volume), twap (null where no price holds), covered_seconds.

    An average that is no price any more is null, too (volumes of both signs that nearly cancel).
    """
    room = (pl.col("end") - pl.col("last_start")).dt.total_microseconds()
    held = pl.max_horizontal(0, pl.min_horizontal("last_hold_us", room))
    numbers = found.with_columns(
        covered=pl.col("covered_head_us") + held,
        integral=pl.col("head").cast(pl.Int128) + _units("close") * held.cast(pl.Int128),
        amount=_units("volume"),
        value=pl.col("worth").cast(pl.Int128, strict=False),
    )
    averaged = numbers.with_columns(
        _average(numbers, "value", "amount").alias("vwap"),
        _average(numbers, "integral", "covered").alias("twap"),
        covered_seconds=_seconds(pl.col("covered")),
    )
    return _with_wide(averaged).drop(_MADE_OF)


def _units(name: str) -> pl.Expr:
    return pl.col(name).to_physical().cast(pl.Int128)


def _seconds(microseconds: pl.Expr) -> pl.Expr:
    unit = pl.lit("0.000001").cast(pl.Decimal(DIGITS, 6))
    return (microseconds.cast(pl.Decimal(DIGITS, 0)) * unit).cast(pl.Decimal(DIGITS, 6))


def _average(bars: pl.DataFrame, above: str, below: str) -> pl.Series:
    """Their quotient as a price, rounded once, half to even; null without a denominator."""
    sign = pl.when(pl.col(below) < 0).then(pl.lit(-1, pl.Int128)).when(pl.col(below) > 0).then(pl.lit(1, pl.Int128))
    parts = bars.select(above=pl.col(above) * sign, below=pl.col(below).cast(pl.Int128) * sign)
    parts = parts.with_columns(whole=_ABOVE // _BELOW)
    parts = parts.with_columns(twice=doubled_rest(_ABOVE, _BELOW, pl.col("whole")))
    parts = parts.select(units=rounded(pl.col("whole"), pl.col("twice"), _BELOW))
    return parts.select(as_price(pl.when(pl.col("units").abs() < _BEYOND).then("units"))).to_series()


def _with_wide(bars: pl.DataFrame) -> pl.DataFrame:
    """The bars with the `vwap` of those whose sums do not fit 128 bits."""
    narrow = pl.all_horizontal(pl.col("value", "amount").is_between(-_WIDE, _WIDE).fill_null(value=False))
    is_wide = bars.select((pl.col("amount") != 0).fill_null(value=False) & ~narrow).to_series()
    if not is_wide.any():
        return bars
    parts = zip(is_wide, bars["vwap"], bars["worth"], bars["amount"], strict=True)
    exact = [_quotient(int(worth), amount) if wide else vwap for wide, vwap, worth, amount in parts]
    return bars.with_columns(vwap=pl.Series(exact, dtype=PRICE))


def _quotient(above: int, below: int) -> Decimal | None:
    """As `_average`, of numbers of any size; `below` is not 0."""
    whole, rest = divmod(abs(above), abs(below))
    units = whole + (2 * rest > abs(below) or (2 * rest == abs(below) and whole % 2))
    sign = 1 if (above < 0) == (below < 0) else -1
    return Decimal(sign * units).scaleb(-SCALE) if units < 10**DIGITS else None
