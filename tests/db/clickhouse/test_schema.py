"""Migrations, settings and what an insert keeps."""

import traceback

import pytest
from clickhouse_connect.driver.client import Client
from pydantic import SecretStr

from db.clickhouse import client as connections
from db.clickhouse.client import assert_settings, connect, connect_async
from db.clickhouse.frames import fetch
from db.clickhouse.keys import drop_abandoned, key_table
from db.clickhouse.migrate import ensure_database, migrate, migrations
from db.clickhouse.query import Query
from db.clickhouse.ticks import insert_ticks
from pipeline.errors import DataProcessingError
from pipeline.schema import TICKS, empty
from service.settings import ClickHouse, Settings
from tests.db.clickhouse.rows import DAY, document, frame, fresh_tenant, generic


def test_migrations_are_numbered_without_a_hole() -> None:
    assert [migration.number for migration in migrations()] == list(range(1, len(migrations()) + 1))


@pytest.mark.stack
def test_a_missing_server_is_named_with_the_fix() -> None:
    with pytest.raises(DataProcessingError, match=r"127\.0\.0\.1:9.*DATA_PROC_CLICKHOUSE_URL") as caught:
        connect(ClickHouse(url=SecretStr("http://gridtick:hidden@127.0.0.1:9")))  # pyright: ignore[reportCallIssue]
    assert "hidden" not in str(caught.value)


@pytest.mark.stack
async def test_a_missing_server_of_the_user_for_reads_is_named_with_its_setting(settings: Settings) -> None:
    there = settings.clickhouse.model_copy(update={"read_url": SecretStr("http://reader:hidden@127.0.0.1:9")})
    with pytest.raises(DataProcessingError, match=r"127\.0\.0\.1:9.*DATA_PROC_CLICKHOUSE_READ_URL") as caught:
        await connect_async(there)
    assert "hidden" not in str(caught.value)
    connect(there).close()


@pytest.mark.stack
def test_a_wrong_password_is_named_with_the_fix_and_not_shown(settings: Settings) -> None:
    address = settings.clickhouse.url.get_secret_value()
    password = address.split(":")[2].split("@")[0]
    wrong = password[::-1]
    with pytest.raises(DataProcessingError, match=r"refuses our login.*DATA_PROC_CLICKHOUSE_URL") as caught:
        connect(ClickHouse(url=SecretStr(address.replace(password, wrong))))  # pyright: ignore[reportCallIssue]
    assert wrong not in "".join(traceback.format_exception(caught.value))


@pytest.mark.stack
def test_a_newer_schema_is_refused(settings: Settings) -> None:
    name = f"newer_{fresh_tenant()}"
    ensure_database(connect(settings.clickhouse, database="default"), name)
    own = connect(settings.clickhouse, database=name)
    assert migrate(own) == [migration.name for migration in migrations()]
    assert migrate(own) == []
    own.insert("schema_history", [[999, "later"]], column_names=["number", "name"])
    with pytest.raises(DataProcessingError, match="version 999"):
        migrate(own)
    own.command("DROP DATABASE {name:Identifier}", parameters={"name": name})


@pytest.mark.stack
def test_settings_hold_and_a_different_one_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_settings(client)
    monkeypatch.setattr(connections, "SETTINGS", {**connections.SETTINGS, "async_insert": "1"})
    with pytest.raises(DataProcessingError, match="async_insert=0"):
        assert_settings(client)


@pytest.mark.stack
def test_an_insert_keeps_every_column_and_a_repeat_is_one_row(client: Client) -> None:
    tenant = fresh_tenant()
    ticks = frame([generic(tenant, DAY, "-0.000000001"), document(tenant, DAY, "999999999.999999999")])
    assert [insert_ticks(client, ticks), insert_ticks(client, ticks), insert_ticks(client, empty(TICKS))] == [2, 2, 0]
    columns = ", ".join(f"`{name}`" for name in TICKS)
    query = Query(f"SELECT {columns} FROM ticks FINAL WHERE tenant = {{t:String}} ORDER BY instrument", {"t": tenant})
    assert fetch(client, query).equals(ticks.sort("instrument"))


@pytest.mark.stack
def test_key_tables_end_with_their_block_and_abandoned_ones_are_dropped(settings: Settings) -> None:
    name = f"keys_{fresh_tenant()}"
    ensure_database(connect(settings.clickhouse, database="default"), name)
    own = connect(settings.clickhouse, database=name)
    tables = "SELECT count() FROM system.tables WHERE database = currentDatabase()"
    with key_table(own):
        assert own.query(tables).result_rows[0][0] == 1
        assert drop_abandoned(own) == 0
    assert own.query(tables).result_rows[0][0] == 0
    with key_table(own):
        assert drop_abandoned(own, older_s=-60) == 1
        assert own.query(tables).result_rows[0][0] == 0
    own.command("DROP DATABASE {name:Identifier}", parameters={"name": name})
