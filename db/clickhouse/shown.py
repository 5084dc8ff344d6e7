"""The SQL of a bar as users see it: averages divided once, its revision summed up."""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from typing import Final

from db.clickhouse.rollup import micros

_VOLUME: Final = "toInt256(reinterpretAsInt128(assumeNotNull(volume)))"
REVISION: Final = "corrections + late_sure + arraySum(late_n)"
_BAR: Final = (
    "tenant, instrument, `interval`, start, `end`, open, high, low, close, volume, count, flags, "
    f"{REVISION} AS revision, updated_at, ver"
)


def shown_bars(where: str, bars: str = "bars FINAL") -> str:
    """`SELECT … FROM …` of the bars that meet a condition, those without a price (`count` 0) too: of the stored ones,
    or of those in another table of their columns.

    Columns: tenant, instrument, interval, start, end, open, high, low, close, volume, count, flags, revision,
    updated_at, ver, vwap (null without volume), twap (null where no price holds), covered_seconds.
    """
    return f"""
    SELECT {_BAR}, {_half_even("pv", _VOLUME, "volume IS NOT NULL")} AS vwap,
        {_half_even("toInt256(integral)", "toInt256(covered_us)", "1")} AS twap,
        reinterpret(covered_us, 'Decimal64(6)') AS covered_seconds
    FROM (SELECT *, greatest(0, least(last_hold_us, {micros("`end`")} - {micros("last_start")})) AS hold_us,
            integral_head + toInt128(reinterpretAsInt64(close)) * hold_us AS integral,
            covered_head_us + hold_us AS covered_us
        FROM {bars} WHERE {where})"""


def _half_even(numerator: str, denominator: str, where: str) -> str:
    """An exact quotient of two Int256 of scale 9, rounded once, half to even; null without a denominator.

    Null too where it is no price any more (volumes of both signs that nearly cancel).
    """
    size = f"abs({numerator})"
    by = f"if({where} AND {denominator} != 0, abs({denominator}), toInt256(1))"
    whole = f"intDiv({size}, {by})"
    rest = f"2 * ({size} - {whole} * {by})"
    rounded = f"{whole} + if({rest} > {by} OR {rest} = {by} AND bitAnd({whole}, 1) = 1, 1, 0)"
    signed = f"toInt64(if(({numerator} < 0) != ({denominator} < 0), -1, 1) * ({rounded}))"
    known = f"{where} AND {denominator} != 0 AND {whole} < toInt256('1000000000000000000')"
    return f"if({known}, reinterpret({signed}, 'Decimal64(9)'), NULL)"
