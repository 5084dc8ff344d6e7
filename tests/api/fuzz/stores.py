"""What the stores hold, so that two looks at them can be compared, and what must stand in none of them."""

import hashlib
import json
from collections.abc import Collection, Mapping
from contextlib import closing
from typing import Any, Final

import asyncpg

from db.clickhouse.client import connect
from db.redis.client import connect as connect_redis
from service.settings import Settings

# What requests are counted, remembered and recorded in.
_KEPT_OF_REQUESTS: Final = frozenset({"usage", "audit", "audit_head", "idempotency"})
_OF_A_KEY: Final = ("last_used_at", "pepper", "digest")  # a key that is used is noted, and put under the present pepper
_TABLES: Final = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
)
_EXPIRES: Final = "with an end"
_SIZES: Final = """
SELECT name, toUInt64(coalesce(total_rows, 0)) FROM system.tables
WHERE database = currentDatabase() AND engine NOT LIKE '%View' ORDER BY name"""


async def state(settings: Settings, but: Collection[str]) -> dict[str, str]:
    """A digest of every table of PostgreSQL without the rows of these tenants, the rows of those of ClickHouse, and the
    keys of Redis."""
    rows = await _rows(settings)
    held = {name: [row for row in found if _tenant(name, row) not in but] for name, found in rows.items()}
    postgres = {name: _digest(found) for name, found in held.items() if name not in _KEPT_OF_REQUESTS}
    return {**postgres, **_clickhouse(settings), **_redis(settings)}


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """What differs between two looks, then and now. A key of Redis that was to end by itself may have ended."""
    names = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    found = {name: (before.get(name), after.get(name)) for name in names}
    return {name: pair for name, pair in found.items() if pair[1] or not str(pair[0]).endswith(_EXPIRES)}


async def texts(settings: Settings) -> dict[str, str]:
    """All that each table of PostgreSQL holds, as one text."""
    return {name: json.dumps(found) for name, found in (await _rows(settings)).items()}


async def _rows(settings: Settings) -> dict[str, list[Any]]:
    link = await asyncpg.connect(settings.postgres.dsn.get_secret_value(), timeout=10)
    try:
        names = [row[0] for row in await link.fetch(_TABLES)]
        asked = {name: await link.fetch(f'SELECT to_jsonb(whole_row)::text FROM "{name}" whole_row') for name in names}
    finally:
        await link.close(timeout=5)
    return {name: [json.loads(row[0]) for row in found] for name, found in asked.items()}


def _tenant(table: str, row: Mapping[str, Any]) -> str | None:
    return row.get("id" if table == "tenants" else "tenant")


def _digest(rows: list[Any]) -> str:
    kept = [{name: value for name, value in row.items() if name not in _OF_A_KEY} for row in rows]
    ordered = sorted(json.dumps(row, sort_keys=True) for row in kept)
    whole = "\n".join(ordered).encode()
    return f"{len(ordered)} rows, {hashlib.sha256(whole).hexdigest()}"


def _clickhouse(settings: Settings) -> dict[str, str]:
    with closing(connect(settings.clickhouse)) as client:
        return {f"clickhouse {name}": f"{rows} rows" for name, rows in client.query(_SIZES).result_rows}


def _redis(settings: Settings) -> dict[str, str]:
    redis = connect_redis(settings.redis.url.get_secret_value())
    try:
        return {f"redis {key!r}": f"{redis.type(key)!s} {_end(redis.ttl(key))}" for key in redis.scan_iter()}
    finally:
        redis.close()


def _end(seconds: object) -> str:
    """Redis says -1 where a key stays, -2 where it is gone."""
    return "for ever" if seconds == -1 else _EXPIRES
