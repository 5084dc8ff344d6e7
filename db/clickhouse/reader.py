"""The user for the API's reads, a second wall: it may only read, and sees the rows of those tenants that a query names.

The query's own conditions name the tenants as ever; should one once not, the server leaves out the rows of all
others. What the user may is in `ops/clickhouse/gridtick_reader.xml`. Tenants are named in the setting `log_comment`,
which every ClickHouse knows and keeps in its log of queries.

A client has a wall when it begins with nobody named (`client.connect_async`). To one without nothing is said: the
setting would do nothing there, and the embedded engine takes 0.2 ms for every change of one.
"""
# ruff: noqa: S608  table names are those below

from collections.abc import Mapping
from typing import Final, cast

from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from db.clickhouse.client import NAMED
from db.clickhouse.query import Query
from pipeline.errors import DataProcessingError

TABLES: Final = ("ticks", "bars", "curve_points")  # what the API reads
_AS_SHIPPED: Final = "Give it what ops/clickhouse/gridtick_reader.xml gives, or unset DATA_PROC_CLICKHOUSE_READ_URL."


def named(client: AsyncClient, query: Query) -> dict[str, str] | None:
    """The setting that names the tenants of a query; None to a client without a wall."""
    if client.get_client_setting(NAMED) is None:
        return None
    tenants = _tenants(query.parameters)
    if any("," in each for each in tenants):
        raise ValueError("a tenant's id holds no comma")
    return {NAMED: ",".join(tenants)}


def _tenants(parameters: Mapping[str, object]) -> list[str]:
    """Every read has its tenants in the parameter `tenants`, or its one in `tenant`; one that has neither sees none."""
    one = cast("str | None", parameters.get("tenant"))
    several = cast("list[str]", parameters.get("tenants", []))
    return sorted({*several, *([] if one is None else [one])})


async def require(client: AsyncClient) -> None:
    """Raises `DataProcessingError` where the user for reads may write, or sees rows though no tenant is named; asks
    nothing where there is no such user."""
    if client.get_client_setting(NAMED) is None:
        return
    if not await _first(client, "SELECT getSetting('readonly')"):
        raise _refused("may write (`readonly` is 0)")
    for table in TABLES:
        if await _first(client, f"SELECT 1 FROM {table} LIMIT 1"):
            raise _refused(f"sees rows of {table} though no tenant is named")


async def _first(client: AsyncClient, sql: str) -> int:
    """The number in the first row, 0 where there is none."""
    try:
        rows = (await client.query(sql)).result_rows
    except ClickHouseError as error:
        if getattr(error, "code", None) is None:  # no answer of the server's
            raise
        raise _refused(f"cannot ask `{sql}` (ClickHouse's error {getattr(error, 'name', None)})") from None
    return int(rows[0][0]) if rows else 0


def _refused(what: str) -> DataProcessingError:
    return DataProcessingError(f"the user of DATA_PROC_CLICKHOUSE_READ_URL {what}. {_AS_SHIPPED}", "clickhouse")
