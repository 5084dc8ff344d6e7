"""The user for the API's reads as it is shipped, on ClickHouse's own engine: rows of named tenants and nothing else."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

import pytest
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import DatabaseError
from pydantic import SecretStr

from db.clickhouse import reader
from db.clickhouse.client import connect, connect_async
from db.clickhouse.frames import fetch, fetch_async
from db.clickhouse.migrate import ensure_database, migrate
from db.clickhouse.query import Query
from pipeline.errors import DataProcessingError
from service.settings import ClickHouse
from tests.db.clickhouse import walled
from tests.db.clickhouse.walled_rows import ASKED, TENANTS, Made, asked, filled

pytestmark = pytest.mark.stack

_DENIED: Final = {164, 497}  # in readonly mode; not granted
_CONSTRAINED: Final = {164, 452}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("walled")
    with walled.serving(folder) as settings:
        ensure_database(connect(settings, database="default"), "gridtick")
        client = connect(settings)
        migrate(client)
        tables = filled(client)
        return Made(folder, tables, {who: [fetch(client, each) for each in asked(who)] for who in ASKED})


@pytest.fixture(scope="module")
def behind(made: Made) -> Iterator[ClickHouse]:
    with walled.serving(made.folder, walled.as_shipped) as settings:
        yield settings


@pytest.fixture
async def client(behind: ClickHouse) -> AsyncIterator[AsyncClient]:
    connected = await connect_async(behind)
    yield connected
    await connected.close()


async def _seen(client: AsyncClient, sql: str, *tenants: str) -> list[object]:
    """The first column of what is answered to a statement that has forgotten its condition."""
    return (await fetch_async(client, Query(sql, {"tenants": list(tenants)}))).to_series().to_list()


@pytest.mark.parametrize("final", ["", "FINAL"])
@pytest.mark.parametrize("table", reader.TABLES)
async def test_only_rows_of_named_tenants_are_there(client: AsyncClient, table: str, final: str) -> None:
    sql = f"SELECT DISTINCT tenant FROM {table} {final} ORDER BY tenant"
    for named in (["acme"], ["other", "public"], [], ["acme"], ["nobody"], list(TENANTS), ["acm", "e", ""]):
        assert await _seen(client, sql, *named) == [each for each in named if each in TENANTS]


async def test_without_naming_nothing_is_seen_by_any_way(client: AsyncClient) -> None:
    for sql in (
        "SELECT count() FROM ticks", "SELECT sum(count) FROM bars", "SELECT toUnixTimestamp(max(start)) FROM bars",
        "SELECT count() FROM merge('gridtick', '^(ticks|bars)$')",
        "SELECT count() FROM ticks WHERE 1 OR tenant = 'acme'",
        "SELECT count() FROM ticks PREWHERE throwIf(tenant = 'acme') = 0",
        "SELECT count() FROM (SELECT 1 FROM bars UNION ALL SELECT 1 FROM curve_points)",
    ):  # fmt: skip
        assert (await client.query(sql)).result_rows == [(0,)], sql
        assert await _seen(client, sql) == [0], sql


@pytest.mark.parametrize("tenants", ASKED)
async def test_reads_answer_what_they_answer_without_the_wall(
    client: AsyncClient, made: Made, tenants: Sequence[str]
) -> None:
    for query, expected in zip(asked(tenants), made.answers[tenants], strict=True):
        found = await fetch_async(client, query)
        assert not found.is_empty(), query.sql
        assert found.sort(found.columns).equals(expected.sort(expected.columns)), query.sql


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ticks (tenant) VALUES ('acme')", "ALTER TABLE ticks DELETE WHERE 1", "TRUNCATE TABLE bars",
        "DROP TABLE bars", "CREATE TABLE more (a Int8) ENGINE = Memory", "CREATE TEMPORARY TABLE more (a Int8)",
        "CREATE DATABASE more", "OPTIMIZE TABLE bars", "DROP ROW POLICY gridtick_reader ON ticks",
        "CREATE USER more", "GRANT SELECT ON gridtick.told TO default", "SYSTEM STOP MERGES bars",
        "SELECT count() FROM told", "SELECT count() FROM tombstones_seen", "SELECT count() FROM system.row_policies",
        "SELECT count() FROM remote('127.0.0.1', 'gridtick', 'ticks')", "SELECT * FROM file('/etc/hostname', 'Raw')",
        "SELECT * FROM url('http://127.0.0.1:9/', 'Raw')", "SELECT count() FROM mergeTreeIndex('gridtick', 'ticks')",
        "SELECT count() FROM loop('gridtick', 'ticks')", "SET readonly = 0", "SET readonly = 1",
    ],
)  # fmt: skip
async def test_nothing_but_those_tables_is_read_and_nothing_written(client: AsyncClient, statement: str) -> None:
    with pytest.raises(DatabaseError) as refused:
        await client.command(statement)
    assert refused.value.code in _DENIED | ({344} if "mergeTreeIndex" in statement else set()), refused.value


@pytest.mark.parametrize(
    "setting",
    [
        "readonly = 0", "max_execution_time = 0", "max_execution_time = 31", "max_memory_usage = 0",
        "max_memory_usage = 2147483649", "max_threads = 17", "timeout_overflow_mode = 'break'", "use_query_cache = 1",
    ],
)  # fmt: skip
async def test_settings_stay_in_their_bounds(client: AsyncClient, setting: str) -> None:
    with pytest.raises(DatabaseError) as refused:
        await client.command(f"SELECT 1 SETTINGS {setting}")
    assert refused.value.code in _CONSTRAINED, refused.value


async def test_settings_may_be_changed_within_their_bounds(client: AsyncClient) -> None:
    given = {"max_execution_time": 5, "max_memory_usage": 1 << 30, "max_threads": 2}
    names = ", ".join(f"getSetting('{name}')" for name in given)
    said = ", ".join(f"{name} = {value}" for name, value in given.items())  # in the text: the stand-in keeps others
    assert (await client.query(f"SELECT {names} SETTINGS {said}")).result_rows == [tuple(given.values())]


def test_every_table_with_tenants_has_a_policy(made: Made) -> None:
    """Shown with every table granted, as it would be if one is granted one day."""

    def grant_all(user: Element) -> None:
        for query in user.findall("grants/query"):
            query.text = "GRANT SELECT ON gridtick.*"

    async def seen(settings: ClickHouse, *tenants: str) -> dict[str, list[object]]:
        client = await connect_async(settings)
        sql = "SELECT DISTINCT tenant FROM {} ORDER BY tenant"
        found = {table: await _seen(client, sql.format(table), *tenants) for table in made.tables}
        await client.close()
        return found

    with walled.copied(made.folder, grant_all) as settings:
        for named in ([], ["acme", "public"]):
            assert asyncio.run(seen(settings, *named)) == dict.fromkeys(made.tables, named)


def _opened(user: Element) -> None:
    for databases in user.findall("databases"):
        user.remove(databases)


def _closed(user: Element) -> None:
    for query in user.findall("grants/query"):
        query.text = "GRANT SELECT ON gridtick.bars"


@pytest.mark.parametrize(
    ("change", "says"),
    [(_opened, "sees rows of ticks though no tenant is named"), (_closed, "cannot ask `SELECT 1 FROM ticks")],
)
def test_a_user_without_the_wall_is_refused(made: Made, change: walled.Change, says: str) -> None:
    with walled.copied(made.folder, change) as settings:
        said = asyncio.run(_refusal(settings))
    assert says in said
    assert re.search(r"DATA_PROC_CLICKHOUSE_READ_URL .* ops/clickhouse/gridtick_reader\.xml", said)


async def test_the_shipped_user_is_taken(client: AsyncClient) -> None:
    await reader.require(client)


def test_a_user_who_may_write_is_refused(tmp_path: Path) -> None:
    with walled.serving(tmp_path) as settings:
        ensure_database(connect(settings, database="default"), "gridtick")
        assert "may write" in asyncio.run(_refusal(settings))
        without = settings.model_copy(update={"read_url": SecretStr("")})
        assert asyncio.run(_refusal(without)) == ""  # nothing is asked


async def _refusal(settings: ClickHouse) -> str:
    client = await connect_async(settings)
    try:
        await reader.require(client)
    except DataProcessingError as error:
        return str(error)
    finally:
        await client.close()
    return ""
