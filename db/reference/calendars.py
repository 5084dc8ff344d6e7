"""The calendars of the reference data, carried on by rule: `python -m db.reference.calendars 2045`.

Writes `holidays.csv` and `contracts.csv` up to a year. What a list of its own says (a `source` that is no rule) stays
as it is; a row of a rule is made again, so that a changed rule shows in the difference of the files.
"""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from pipeline import holidays, trading

DATA: Final = Path(__file__).parent / "data"
BY_RULE: Final = "rule: "
_FIRST: Final = {"nerc": 2015, "nymex": 2003}
_SOURCES: Final = {
    "nerc": f"{BY_RULE}six holidays, a Sunday one moves to Monday (NERC)",
    "nymex": f"{BY_RULE}days without settlement (NYMEX)",
}


class _Contract(NamedTuple):
    market: str
    root: str
    block: str
    size: str
    unit: str
    tick: str
    first: int
    source: str


_GAS: Final = _Contract(
    "henry_hub", "NG", "atc", "10000", "MMBtu", "0.001", 2003,
    f"{BY_RULE}third last business day before the delivery month (NYMEX rulebook, chapter 220)",
)  # fmt: skip
_PEAK: Final = _Contract(
    "pjm", "PMJ", "peak", "50", "MW", "0.01", 2018,
    f"{BY_RULE}last business day of the contract month (ice.com 53169017)",
)  # fmt: skip


def holiday_rows(last: int) -> pl.DataFrame:
    """The rows of `holidays` up to a year."""
    rows = [
        (calendar, day, name, _SOURCES[calendar])
        for calendar, rule in sorted(holidays.CALENDARS.items())
        for year in range(_FIRST[calendar], last + 1)
        for day, name in rule(year).items()
    ]
    return pl.DataFrame(rows, schema=["calendar", "day", "name", "source"], orient="row")


def contract_rows(last: int, free: frozenset[date]) -> pl.DataFrame:
    """The rows of `contracts` up to a year, by rule."""
    rows = [*_months(_GAS, last, free), *_months(_PEAK, last, free)]
    names = ("market", "contract", "root", "delivery_start", "delivery_end", "block", "last_trade", "first_notice")
    schema = [*names, "size", "size_unit", "tick", "source"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _months(kind: _Contract, last: int, free: frozenset[date]) -> Iterator[tuple[object, ...]]:
    for number in range(12 * (last - kind.first + 1)):
        year, month = kind.first + number // 12, number % 12
        start, end = date(year, month + 1, 1), date(year + (month == 11), (month + 1) % 12 + 1, 1)
        code = f"{kind.root}{trading.MONTH_LETTERS[month]}{year % 100:02}"
        ends, notice = _ends(kind, start, free)
        yield (kind.market, code, kind.root, start, end, kind.block, ends, notice, kind.size, kind.unit, kind.tick,
               kind.source)  # fmt: skip


def _ends(kind: _Contract, start: date, free: frozenset[date]) -> tuple[date, date | None]:
    """Last day of trading, first day of notice: the business day after it, where there is delivery."""
    if kind is _PEAK:
        return trading.last_trade_month(start, free), None
    return trading.last_trade_ng(start, free), trading.business_day_before(start, 2, free)


def _with_listed(rows: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The rows, but those of contracts that a list of its own tells."""
    known = pl.read_csv(path, infer_schema=False)
    listed = known.filter(~pl.col("source").str.starts_with(BY_RULE))
    texts = rows.with_columns(pl.all().cast(pl.String))
    return pl.concat([listed, texts.join(listed, on=["market", "contract"], how="anti")])


def main(last: int) -> None:
    holiday_rows(last).write_csv(DATA / "holidays.csv")
    rows = contract_rows(last, holidays.between("nymex", _FIRST["nymex"] - 1, last + 1))
    path = DATA / "contracts.csv"
    _with_listed(rows, path).sort("market", "root", "delivery_start").write_csv(path)


if __name__ == "__main__":
    main(int(sys.argv[1]))
