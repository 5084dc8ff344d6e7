"""Loading reference data: all files of a call in one transaction, or nothing of them."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

import polars as pl
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.reference import rows
from db.reference.recorded import Author, record
from pipeline.errors import DataProcessingError
from pipeline.reference import checks
from pipeline.reference.changes import Changes, applied, changes
from pipeline.reference.problems import Problem
from pipeline.reference.reading import STAGE, Given
from pipeline.reference.tables import TENANT, Table
from pipeline.spreads.checks import change_problem

Valued = Callable[[], Collection[tuple[str, str]]]
"""Gives (tenant, spread) of the definitions that have values; blocks."""


class Mode(NamedTuple):
    """`replace`: rows of the files' tenants that the files do not hold are removed. `own`: the files came with the
    program; keys of which others have written a row are left to them, under whatever validity."""

    replace: bool = False
    dry_run: bool = False
    own: bool = False


PLAIN: Final = Mode()


class Loaded(NamedTuple):
    """What was changed (or, in a dry run, would be), and the version of the reference after it."""

    changes: Sequence[Changes]
    version: int


class Refused(DataProcessingError):
    """The rows do not go with those that are there."""

    def __init__(self, table: Table, problems: Sequence[Problem]) -> None:
        listed = "\n".join(f"  {each}" for each in problems)
        super().__init__(f"{table.name} is refused, nothing was loaded:\n{listed}", STAGE)
        self.problems = problems


async def load(
    engine: AsyncEngine, files: Sequence[Given], valued: Valued, mode: Mode = PLAIN, author: Author | None = None
) -> Loaded:
    """Loads good files. Raises `Refused` for rows that contradict those that are there.

    What an author changes is written to the audit record; what comes with the program has none.
    """
    async with engine.connect() as connection, connection.begin() as transaction:
        done = [await _load(connection, given, valued, mode) for given in _by_table(files)]
        version = await _version(connection)
        if mode.dry_run:
            await transaction.rollback()
        elif author:
            await record(connection, author, done)
    return Loaded(done, version)


async def difference(engine: AsyncEngine, given: Given) -> Changes:
    """From the rows that are there to those of a file, which holds all of its tenants."""
    async with engine.connect() as connection:
        there = await rows.rows_of(connection, given.table, given.tenants)
    return changes(given.table, there, given.rows, replace=True)


def _by_table(files: Sequence[Given]) -> Iterator[Given]:
    """In the order of names, so that two who load wait for each other instead of dead-locking."""
    for _, found in groupby(sorted(files, key=lambda each: each.table.name), key=lambda each: each.table.name):
        of = list(found)
        tenants = sorted({each for some in of for each in some.tenants})
        yield of[0]._replace(rows=pl.concat([each.rows for each in of]), tenants=tenants)


async def _load(connection: AsyncConnection, file: Given, valued: Valued, mode: Mode) -> Changes:
    table, given = file.table, file.rows
    await rows.lock(connection, table)
    there = await rows.rows_of(connection, table, file.tenants)
    if mode.own:
        kept = await rows.kept_keys(connection, table)
        given, there = (each.join(kept, on=kept.columns, how="anti") for each in (given, there))
    _require(table, list(checks.repeated(table, given.to_dicts(), [0] * given.height)))
    found = changes(table, there, given, replace=mode.replace)
    after = applied(there, found)
    _require(table, list(checks.repeated(table, after.to_dicts(), [0] * after.height)))
    _require(table, list(checks.too_many(table, after)))
    if table.name == "spreads":
        _require(table, await _of_valued(found, valued))
    await _write(connection, found, own=mode.own)
    return found


async def _write(connection: AsyncConnection, found: Changes, *, own: bool) -> None:
    await rows.delete(connection, found.table, pl.concat([found.before, found.removed]))
    await rows.insert(connection, found.table, pl.concat([found.added, found.after]), own=own)


async def _of_valued(found: Changes, valued: Valued) -> list[Problem]:
    """Of definitions that have values only the end may change."""
    if not found.after.height + found.removed.height:
        return []
    held = set(await asyncio.to_thread(valued))
    pairs = [
        *zip(found.before.iter_rows(named=True), found.after.iter_rows(named=True), strict=True),
        *((row, None) for row in found.removed.iter_rows(named=True)),
    ]
    told = [change_problem(old, new) for old, new in pairs if (old[TENANT], old["spread"]) in held]
    return [Problem(0, *_parted(each)) for each in told if each]


def _parted(told: str) -> tuple[str, str, str]:
    column, _, problem = told.partition(": ")
    return column, "", problem


def _require(table: Table, problems: Sequence[Problem]) -> None:
    if problems:
        raise Refused(table, problems)


async def _version(connection: AsyncConnection) -> int:
    return int((await connection.execute(text("SELECT version FROM reference_version"))).scalar_one())
