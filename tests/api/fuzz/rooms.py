"""Rooms of their own on the shared servers: databases and topics in which whatever is changed harms no other test."""

import asyncio
from typing import Final
from uuid import uuid4

import asyncpg

from db.migrate import migrate
from local.stack import CLICKHOUSE, CURSOR, PEPPER, POSTGRES, REDIS, Stack
from service.settings import Settings, load

_MANY: Final = "1000000000"
_REDIS: Final = "/3"
_TOPICS: Final = ("raw", "backfill", "normalized", "enriched", "bars", "curves", "deadletter")
# Secrets of a text that is found again wherever it was written.
PLANTED: Final = {
    PEPPER: "planted-pepper-7f3a9c", CURSOR: "planted-cursor-5d1e8b",
}  # fmt: skip


def made(stack: Stack) -> tuple[dict[str, str], Settings]:
    """The environment that leads to new, empty, migrated stores, and its settings."""
    mark = uuid4().hex[:10]
    address = f"{stack.environ[POSTGRES].rpartition('/')[0]}/fuzz_{mark}"
    asyncio.run(_database(stack.environ[POSTGRES], f"fuzz_{mark}"))
    topics = {f"DATA_PROC_KAFKA_{each.upper()}_TOPIC": f"{each}-{mark}" for each in _TOPICS}
    own = {
        **stack.environ, **topics, **PLANTED, POSTGRES: address, "DATA_PROC_CLICKHOUSE_DATABASE": f"fuzz_{mark}",
        REDIS: stack.environ[REDIS].rpartition("/")[0] + _REDIS, "DATA_PROC_KAFKA_PARTITIONS": "1",
        "DATA_PROC_API_KEY_REQUESTS_PER_MINUTE": _MANY, "DATA_PROC_API_TENANT_REQUESTS_PER_MINUTE": _MANY,
    }  # fmt: skip
    settings = load({**own, "DATA_PROC_ENV": "test"})
    asyncio.run(migrate(settings))
    return own, settings


async def _database(address: str, name: str) -> None:
    link = await asyncpg.connect(address, timeout=10)
    try:
        await link.execute(f'CREATE DATABASE "{name}"')
    finally:
        await link.close(timeout=5)


def secrets(stack: Stack, settings: Settings) -> dict[str, str]:
    """Every secret that the API knows, by what it is."""
    passwords = {
        name: stack.environ[name].partition("://")[2].partition("@")[0].rpartition(":")[2]
        for name in (POSTGRES, CLICKHOUSE, REDIS)
    }
    audit = {"audit": settings.api.audit_secret.get_secret_value()}
    return {name: each for name, each in {**PLANTED, **passwords, **audit}.items() if each}
