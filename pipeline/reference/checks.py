"""What may be wrong with rows whose cells can be read: keys, dates, and what each table knows of its rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

import polars as pl

from pipeline import blocks
from pipeline.reference.problems import Problem
from pipeline.reference.tables import TENANT, Table
from pipeline.schema import PUBLIC
from pipeline.spreads.checks import check as spread_problems
from pipeline.taxonomy import check_rules

Row = Mapping[str, object]
MOST_DAYS: Final = 4_000  # of one delivery: ten years
Lines = Sequence[int]  # of the file, 0 for a row that it does not hold


def problems(table: Table, rows: pl.DataFrame, lines: Lines) -> Iterator[Problem]:
    """Everything that is wrong with the rows of a file, found as it is asked for: a file may be wrong everywhere."""
    listed = rows.to_dicts()
    yield from _wrong_order(table, listed, lines)
    yield from _not_positive(table, listed, lines)
    yield from repeated(table, listed, lines)
    yield from _OF_TABLE.get(table.name, _nothing)(rows, lines)


def repeated(table: Table, rows: Sequence[Row], lines: Lines) -> Iterator[Problem]:
    """Keys that stand twice, and validities of one key that overlap."""
    of_key: dict[tuple[object, ...], list[tuple[date, date, int, Row]]] = {}
    plain = [name for name in (TENANT, *table.key) if name != "valid_from"]
    for row, line in zip(rows, lines, strict=True):
        held = of_key.setdefault(tuple(row[name] for name in plain), [])
        held.append((*_validity(table, row), line, row))
    for key, held in of_key.items():
        held.sort(key=lambda each: each[:3])
        shown = " ".join(map(str, key[1:]))
        for (_, ends, first, _), (begins, _, line, row) in pairwise(held):
            if begins < ends:
                yield Problem(line or first, table.key[0], shown, _twice(table, first if line else 0, row))


def too_many(table: Table, rows: pl.DataFrame) -> Iterator[Problem]:
    """Tenants with more rows than they may have, of a table as it would be."""
    counts = rows.filter(pl.col(TENANT) != PUBLIC).group_by(TENANT).len().filter(pl.col("len") > table.most)
    for tenant, held in counts.sort(TENANT).iter_rows():
        what = f"would have {held} rows; {table.most} are allowed. Remove some with --replace, or load them as public."
        yield Problem(0, TENANT, tenant, what)


def _validity(table: Table, row: Row) -> tuple[date, date]:
    if not table.dated:
        return date.min, date.max
    begins, ends = row["valid_from"], row["valid_to"]
    return begins if isinstance(begins, date) else date.min, ends if isinstance(ends, date) else date.max


def _twice(table: Table, other: int, row: Row) -> str:
    where = f"of line {other}" if other else "that is there"
    if table.dated:
        return f"from {row['valid_from'] or 'always'} on overlaps the row {where}. Give that one a valid_to."
    return f"is the key of the row {where}, too."


def _wrong_order(table: Table, rows: Sequence[Row], lines: Lines) -> Iterator[Problem]:
    for earlier, later in table.before:
        for row, line in zip(rows, lines, strict=True):
            first, second = row[earlier], row[later]
            if isinstance(first, date) and isinstance(second, date) and first >= second:
                yield Problem(line, later, str(second), f"does not come after {earlier} {first}.")


def _not_positive(table: Table, rows: Sequence[Row], lines: Lines) -> Iterator[Problem]:
    for name, column in table.columns.items():
        if column.kind == "amount":
            for row, line in zip(rows, lines, strict=True):
                if row[name] == 0:
                    yield Problem(line, name, "0", "must be above 0.")


def _of_rules(rows: pl.DataFrame, lines: Lines) -> Iterator[Problem]:
    for each in check_rules(rows):
        yield Problem(lines[each.row], each.column, each.value, f"{each.problem}.")


def _of_spreads(rows: pl.DataFrame, lines: Lines) -> Iterator[Problem]:
    for row, line in zip(rows.iter_rows(named=True), lines, strict=True):
        for told in spread_problems(row):
            column, _, problem = told.partition(": ")
            yield Problem(line, column, "", problem)


def _of_curves(rows: pl.DataFrame, lines: Lines) -> Iterator[Problem]:
    for (market, block), line in zip(rows.select("market", "block").iter_rows(), lines, strict=True):
        known = blocks.names(market) or (blocks.ATC,)
        if block not in known:
            yield Problem(line, "block", block, f"is no block of {market}. Write one of {', '.join(known)}.")


def _of_contracts(rows: pl.DataFrame, lines: Lines) -> Iterator[Problem]:
    days = rows.select((pl.col("delivery_end") - pl.col("delivery_start")).dt.total_days()).to_series()
    for length, end, line in zip(days, rows["delivery_end"], lines, strict=True):
        if length > MOST_DAYS:
            yield Problem(line, "delivery_end", str(end), f"gives {length} days; {MOST_DAYS} are allowed.")


def _nothing(rows: pl.DataFrame, lines: Lines) -> Iterator[Problem]:  # noqa: ARG001 - a table without rules of its own
    yield from ()


_OF_TABLE: Final[Mapping[str, Callable[[pl.DataFrame, Lines], Iterator[Problem]]]] = {
    "taxonomy_rules": _of_rules, "spreads": _of_spreads, "curves": _of_curves, "contracts": _of_contracts,
}  # fmt: skip
