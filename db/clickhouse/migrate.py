"""The schema of ClickHouse: numbered SQL files, each applied once, with a history table."""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client

from pipeline.errors import DataProcessingError

_FILE: Final = re.compile(r"(\d{3})_\w+\.sql")
_HISTORY: Final = """
CREATE TABLE IF NOT EXISTS schema_history (number UInt16, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
ENGINE = ReplacingMergeTree ORDER BY number"""


class Migration(NamedTuple):
    """One numbered file; its statements may be run again after a crash between them."""

    number: int
    name: str
    statements: tuple[str, ...]


def migrations() -> list[Migration]:
    """Every migration of this program, in order."""
    return sorted(_read())


def ensure_database(client: Client, database: str) -> None:
    """Create the database; `client` may be connected to any other."""
    client.command("CREATE DATABASE IF NOT EXISTS {name:Identifier}", parameters={"name": database})


def migrate(client: Client) -> list[str]:
    """Bring the client's database to this program's schema; returns the names of what was applied.

    Raises `DataProcessingError` when the database is newer than the program.
    """
    client.command(_HISTORY)
    applied = {int(row[0]) for row in client.query("SELECT DISTINCT number FROM schema_history").result_rows}
    known = migrations()
    if newer := applied - {migration.number for migration in known}:
        raise DataProcessingError(
            f"the ClickHouse schema is at version {max(newer)}, this program knows {known[-1].number}. "
            "Run the newer program, or restore a database of this version.",
            "aggregate",
        )
    return [_apply(client, migration) for migration in known if migration.number not in applied]


def _apply(client: Client, migration: Migration) -> str:
    for statement in migration.statements:
        client.command(statement)
    client.insert("schema_history", [[migration.number, migration.name]], column_names=["number", "name"])
    return migration.name


def _read() -> Iterator[Migration]:
    for path in files("db.clickhouse").joinpath("migrations").iterdir():
        if match := _FILE.fullmatch(path.name):
            text = re.sub(r"^--.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            statements = tuple(part.strip() for part in text.split(";") if part.strip())
            yield Migration(int(match[1]), path.name.removesuffix(".sql"), statements)
