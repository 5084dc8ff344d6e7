"""Connections to ClickHouse with the settings that exactness needs."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

import aiohttp
import clickhouse_connect
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, ProgrammingError

from pipeline.errors import DataProcessingError
from service.settings import ClickHouse

# What every statement runs with. A server that does not know or does not take one of them is refused at start:
# an asynchronous insert is not yet stored when it returns, a deduplicated one may silently not be stored at all,
# a pass reads `ticks` more than once and must see one state of it, and one batch may hold prices of many months.
SETTINGS: Final[Mapping[str, str]] = {
    "async_insert": "0",
    "deduplicate_insert": "disable",
    "deduplicate_insert_select": "disable",
    "insert_deduplicate": "0",
    "max_partitions_per_insert_block": "0",
    # Rows of one key within a block are left to merges and FINAL, as those of two blocks are: one sort less an insert.
    "optimize_on_insert": "0",
    "enable_materialized_cte": "1",
    "enable_shared_storage_snapshot_in_query": "1",
    "do_not_merge_across_partitions_select_final": "1",
    # To compile what a statement of few rows computes costs more than that does.
    "compile_expressions": "0",
    "compile_aggregate_expressions": "0",
    "compile_sort_description": "0",
}

# For work that may wait: it stops while other statements run, takes one core when it goes on, and that one only as
# far as nobody else wants it (where the server may set that: CAP_SYS_NICE).
GENTLE: Final[Mapping[str, str]] = {
    "priority": "10", "max_threads": "1", "max_insert_threads": "1", "os_thread_priority": "10",
}  # fmt: skip

NAMED: Final = "log_comment"  # the setting in which the user for reads is told of tenants (`db.clickhouse.reader`)
_WRONG_LOGIN: Final = 516  # ClickHouse's number


def connect(
    settings: ClickHouse, *, database: str | None = None, gentle: bool = False, patience_s: int | None = None
) -> Client:
    """A client, which threads may share, for it has no session; a gentle one gives way to all others. `patience_s`: for
    each answer.

    Raises `DataProcessingError` when the server is not there.
    """
    login = _main(settings)
    options = _options(login, database or settings.database)
    options["settings"] |= GENTLE if gentle else {}
    if patience_s is not None:
        options |= {"connect_timeout": patience_s, "send_receive_timeout": patience_s}
    try:
        return clickhouse_connect.get_client(**options)
    except (ClickHouseError, OSError) as error:
        raise _absent(login, error) from error


async def connect_async(settings: ClickHouse) -> AsyncClient:
    """A client for one event loop, for reads: as the user for them where there is one (`db.clickhouse.reader`).

    Raises `DataProcessingError` when the server is not there.
    """
    login = _for_reads(settings)
    options = _options(login, settings.database)
    options["settings"] |= {NAMED: ""} if settings.has_reader else {}
    try:
        return await clickhouse_connect.get_async_client(**options)
    except (ClickHouseError, OSError) as error:
        raise _absent(login, error) from error


async def ask_anew(settings: ClickHouse) -> None:
    """One round trip over a connection of its own to where reads go; raises what the driver raises."""
    of = _options(_for_reads(settings), settings.database)
    address = f"{of['interface']}://{of['host']}:{of['port']}/ping"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        await answer.read()


def assert_settings(client: Client) -> None:
    """Raise `DataProcessingError` unless the server runs our statements with every setting of `SETTINGS`."""
    sql = "SELECT name, value FROM system.settings WHERE name IN {names:Array(String)}"
    rows = client.query(sql, parameters={"names": list(SETTINGS)}).result_rows
    found = {str(name): str(value) for name, value in rows}
    for name, wanted in SETTINGS.items():
        if found.get(name) != wanted:
            raise DataProcessingError(
                f"ClickHouse runs with {name}={found.get(name)}, but {wanted} is needed for exact data. "
                "Allow the setting for this user, or use ClickHouse 26.3 or newer.",
                "aggregate",
            )


class _Login(NamedTuple):
    """An address with user and password, and the setting that says it."""

    url: str
    setting: str


def _main(settings: ClickHouse) -> _Login:
    return _Login(settings.url.get_secret_value(), "DATA_PROC_CLICKHOUSE_URL")


def _for_reads(settings: ClickHouse) -> _Login:
    if not settings.has_reader:
        return _main(settings)
    return _Login(settings.read_url.get_secret_value(), "DATA_PROC_CLICKHOUSE_READ_URL")


def _options(login: _Login, database: str) -> dict[str, Any]:
    address = urlsplit(login.url)
    return {
        "host": address.hostname or "127.0.0.1",
        "port": address.port or (8443 if address.scheme == "https" else 8123),
        "username": unquote(address.username or "default"),
        "password": unquote(address.password or ""),
        "interface": address.scheme or "http",
        "database": database,
        "settings": dict(SETTINGS),
        "autogenerate_session_id": False,
        "compress": False,
        "query_limit": 0,
    }


def _absent(login: _Login, error: Exception) -> DataProcessingError:
    address = urlsplit(login.url)
    if getattr(error, "code", None) == _WRONG_LOGIN:
        what, fix = "refuses our login", f"Set {login.setting} with the right user and password."
    elif isinstance(error, ProgrammingError) or getattr(error, "code", None) is not None:
        what, fix = (
            "refuses what we ask",
            f"Let the user of {login.setting} read, and change settings (not `readonly` 1).",
        )
    else:
        what, fix = "does not answer", f"Start it, or set {login.setting} to where it runs."
    return DataProcessingError(
        f"ClickHouse {what} at {address.hostname}:{address.port}. {fix}",
        "aggregate",
        {"error": type(error).__name__},
    )
