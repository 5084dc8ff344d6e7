"""Reference data read and written by administrators."""

import asyncio
from typing import Final

import polars as pl

from api.problems import Problem, not_found
from db.reference.loading import Loaded, Refused
from db.reference.snapshot import Snapshot
from pipeline.errors import DataProcessingError
from pipeline.reference import reading
from pipeline.reference.problems import Problem as Wrong
from pipeline.reference.reading import Given
from pipeline.reference.tables import TABLES, TENANT, Table

MOST: Final = 200  # problems that an answer lists


def table_of(name: str) -> Table:
    """The table of that name; 404 where there is none."""
    if name not in TABLES:
        raise not_found(f"table: there is no {name[:80]!r}. Tables: {', '.join(TABLES)}.")
    return TABLES[name]


def rows_of(snapshot: Snapshot, table: Table, tenant: str) -> pl.DataFrame:
    """The rows of a tenant, in order of their keys."""
    return snapshot.tables[table.name].filter(pl.col(TENANT) == tenant).sort(*table.key)


async def read(content: bytes, table: Table, tenant: str) -> Given:
    """The rows of a body; 422 with every problem."""
    try:
        given = await asyncio.to_thread(reading.read, content, table.name, tenant)
    except DataProcessingError as error:
        raise Problem(422, "invalid-reference", error.message) from None
    if given.problems:
        raise refused(table.name, list(given.problems))
    return given


def refused(table: str, problems: list[Wrong]) -> Problem:
    """422 that lists them."""
    errors = [_error(each) for each in problems[:MOST]]
    number = f"more than {reading.MOST}" if len(problems) > reading.MOST else f"{len(problems)}"
    detail = f"{table}: {number} problem{'' if len(problems) == 1 else 's'}, nothing was loaded."
    return Problem(422, "invalid-reference", detail, errors)


def not_loaded(table: str, error: Refused) -> Problem:
    return refused(table, list(error.problems))


def told(loaded: Loaded) -> dict[str, object]:
    """What was done."""
    [found] = loaded.changes
    counts = {"added": found.added.height, "changed": found.after.height, "removed": found.removed.height}
    return {"table": found.table.name, **counts, "version": loaded.version}


def _error(wrong: Wrong) -> dict[str, str]:
    where = f"line {wrong.line}, {wrong.column}" if wrong.line else wrong.column
    return {"parameter": where, "detail": wrong.problem} | ({"value": wrong.value} if wrong.value else {})
