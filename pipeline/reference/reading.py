"""A CSV of reference data as the rows of its table, with everything that is wrong with it."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple

import polars as pl

from pipeline.errors import DataProcessingError
from pipeline.reference import cells, checks
from pipeline.reference.problems import Problem
from pipeline.reference.tables import TABLES, TENANT, Column, Table
from pipeline.schema import PUBLIC, empty

STAGE: Final = "reference"
MOST: Final = 1_000  # problems of a file that are told
_TENANT: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_FILE: Final = "file"
_MOST_COLUMNS: Final = 64


class Given(NamedTuple):
    """The rows of a file in the schema of its table, the line of each, its problems (none: it is good; the first `MOST`
    and one that says so where there are more), and the tenants that the file is about."""

    table: Table
    rows: pl.DataFrame
    lines: Sequence[int]
    problems: Sequence[Problem]
    tenants: Sequence[str]


class _Written(NamedTuple):
    header: list[str]
    lines: list[int]
    rows: list[list[str]]
    problems: list[Problem]


def named(table: str) -> Table:
    """The table of that name. Raises `DataProcessingError` where there is none."""
    if table not in TABLES:
        raise DataProcessingError(f"There is no table {table}. Tables: {', '.join(TABLES)}.", STAGE)
    return TABLES[table]


def read(content: bytes, table: str | None = None, tenant: str | None = None) -> Given:
    """Reads a CSV (UTF-8, a header, empty cells are null); without `table` the header tells which it is.

    `tenant`: whose rows they are (default: `public`) where the file has no such column, and who alone they may be of
    where it has. Raises `DataProcessingError` where no table can be told.
    """
    written = _written(content)
    found = named(table) if table else _told_by(written.header)
    if problems := _first(chain(written.problems, _header(found, written.header))):
        return Given(found, empty(found.schema), [], problems, [])
    columns: dict[str, list[cells.Cell]] = {}
    if problems := _first(_typed(found, written, tenant, columns)):
        return Given(found, empty(found.schema), [], problems, [])
    rows = pl.DataFrame(columns, schema=dict(found.schema))
    problems = _first(checks.problems(found, rows, written.lines))
    tenants = rows[TENANT].unique().sort().to_list() or [tenant or PUBLIC]
    return Given(found, rows, written.lines, problems, tenants)


def _first(found: Iterable[Problem]) -> list[Problem]:
    """Problems in order of their lines; of very many those that are found first, and that there are more."""
    some = list(islice(found, MOST + 1))
    if len(some) <= MOST:
        return sorted(some)
    more = f"has more problems than these {MOST}. Mend these first, then try it again."
    return [*sorted(some[:MOST]), Problem(0, _FILE, "", more)]


def require_good(given: Given) -> None:
    """Raises `DataProcessingError` with all problems of a file."""
    if given.problems:
        listed = "\n".join(f"  {each}" for each in given.problems)
        raise DataProcessingError(f"{given.table.name} is refused, nothing was loaded:\n{listed}", STAGE)


def _written(content: bytes) -> _Written:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return _Written([], [], [], [Problem(line, _FILE, "", "holds bytes that are no UTF-8. Save it as UTF-8.")])
    if "\0" in text:  # which the stores cannot hold
        line = text.count("\n", 0, text.index("\0")) + 1
        return _Written([], [], [], [Problem(line, _FILE, "", "holds a NUL character, which no text does. Remove it.")])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    written = _Written([], [], [], [])
    try:
        for row in reader:
            _take(written, row, reader.line_num)
            if len(written.problems) > MOST:
                break
    except csv.Error as error:
        written.problems.append(Problem(reader.line_num, _FILE, "", f"is no CSV from here on: {error}."))
    return written


def _take(written: _Written, row: list[str], line: int) -> None:
    if not row:
        return
    if not written.header:
        written.header.extend(name.strip() for name in row)
    elif len(row) != len(written.header):
        what = f"has {len(row)} cells, and the header {len(written.header)}. Write text with commas in quotes."
        written.problems.append(Problem(line, _FILE, "", what))
    else:
        written.lines.append(line)
        written.rows.append(row)


def _told_by(header: Sequence[str]) -> Table:
    given = set(header) - {TENANT}
    fitting = [each for each in TABLES.values() if given <= each.columns.keys() and _needed(each) <= given]
    if len(fitting) != 1:
        raise DataProcessingError(
            f"The header {','.join(header)[:200]!r} is that of no table. Name it with --table; `gridtick reference ls` "
            "shows the columns of each.",
            STAGE,
        )
    return fitting[0]


def _needed(table: Table) -> set[str]:
    return {name for name, each in table.columns.items() if each.needed}


def _header(table: Table, header: Sequence[str]) -> Iterator[Problem]:
    if len(header) > _MOST_COLUMNS:
        yield Problem(1, _FILE, str(len(header)), f"columns are too many: {table.name} has {len(table.columns)}.")
        return
    for name in sorted({each for each in header if header.count(each) > 1}):
        yield Problem(1, name, "", "is a column twice.")
    for name in header:
        if name not in table.columns and name != TENANT:
            yield Problem(1, name, "", f"is no column of {table.name}. Columns: {', '.join(table.columns)}.")
    for name in sorted(_needed(table) - set(header)):
        yield Problem(1, name, "", f"is a column that {table.name} needs.")


def _typed(
    table: Table, written: _Written, tenant: str | None, columns: dict[str, list[cells.Cell]]
) -> Iterator[Problem]:
    """What is wrong with the cells; `columns` takes their values, of a good file of all its columns."""
    for name, column in {TENANT: Column(needed=True), **table.columns}.items():
        texts = _texts(written, name, tenant or PUBLIC)
        columns[name], wrong = cells.values(column, texts)
        for row, why in wrong:
            yield Problem(written.lines[row], name, (texts[row] or "")[: cells.SHOWN], why)
    for line, given in zip(written.lines, columns[TENANT], strict=True):
        if not _TENANT.fullmatch(str(given)) or tenant not in {None, given}:
            yield Problem(line, TENANT, str(given), _wrong_tenant(str(given), tenant))


def _texts(written: _Written, name: str, tenant: str) -> list[str | None]:
    if name not in written.header:
        return [tenant if name == TENANT else None] * len(written.rows)
    at = written.header.index(name)
    texts = (row[at].strip() for row in written.rows)
    return [text or (PUBLIC if name == TENANT else None) for text in texts]


def _wrong_tenant(given: str, tenant: str | None) -> str:
    if not _TENANT.fullmatch(given):
        return "is no name of a tenant: 1 to 64 of A-Z a-z 0-9 _ . and -."
    return f"is another tenant than {tenant}, who is named."
