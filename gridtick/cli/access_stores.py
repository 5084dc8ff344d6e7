"""What `gridtick keys` and `gridtick tenants` ask of the stores."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.clickhouse.client import connect as connect_clickhouse
from db.postgres import keys, tenants
from db.postgres.audit import CLI
from db.postgres.changes import By, Change, perform
from db.postgres.keys import CreateKey, Key, New, RotateKey
from db.postgres.tenants import Tenant
from db.redis.client import connect_async
from db.redis.landed import Bounds
from db.tenants import export
from db.tenants.erase import Erased, Stores, erase
from gridtick.cli.postgres import with_engine
from pipeline.errors import DataProcessingError
from pipeline.schema import PUBLIC
from service import apikey, clock
from service.apikey import ApiKey
from service.settings import Settings

T = TypeVar("T")
_PAGE: Final = 10_000
_PATIENCE_S: Final = 3600  # a large tenant is removed part by part
_ENCODER: Final = msgspec.json.Encoder()


class Made(NamedTuple):
    """A new key, and its text, which is stored nowhere."""

    key: Key
    text: str


def change(settings: Settings, wanted: Change) -> dict[str, Any]:
    """Makes a change and its audit record; the changed one as it is now."""
    secret = settings.api.audit_secret.get_secret_value()
    return with_engine(settings, lambda engine: perform(engine, secret, wanted, _by())).answer


def create(
    settings: Settings, tenant: str, name: str, role: str, scopes: frozenset[str] | None, expires_at: datetime | None
) -> Made:
    key, new = _new(settings)
    return Made(change(settings, CreateKey(new, tenant, name, role, scopes, expires_at)), key.text())


def rotate(settings: Settings, key_id: str, keep: timedelta, expires_at: datetime | None) -> Made:
    key, new = _new(settings)
    return Made(change(settings, RotateKey(new, key_id, None, keep, expires_at)), key.text())


def listed_keys(settings: Settings, tenant: str | None) -> Iterator[Key]:
    """Keys with the `pepper` that their digest is under, page by page."""
    names, after = with_engine(settings, partial(_connected, keys.peppers)), None
    read = partial(keys.listed, tenants=None if tenant is None else [tenant], limit=_PAGE)
    while page := with_engine(settings, partial(_connected, partial(read, after=after))):
        yield from (each | {"pepper": _pepper(settings, names.get(each["id"]))} for each in page)
        after = datetime.fromisoformat(page[-1]["created_at"]), page[-1]["id"]


def listed_tenants(settings: Settings) -> Iterator[Tenant]:
    """Tenants page by page."""
    after: str | None = None
    while page := with_engine(settings, partial(_connected, partial(tenants.listed, after=after, limit=_PAGE))):
        yield from page
        after = page[-1]["id"]


def tenant(settings: Settings, wanted: str) -> Tenant:
    return with_engine(settings, partial(_connected, partial(tenants.found, tenant=wanted)))


def erased(settings: Settings, wanted: str) -> Erased:
    """Erases a tenant; what was removed."""

    async def work(engine: AsyncEngine) -> Erased:
        redis = connect_async(settings.redis.url.get_secret_value())
        client = await asyncio.to_thread(connect_clickhouse, settings.clickhouse, patience_s=_PATIENCE_S)
        bounds = Bounds(settings.landed.keep_s, settings.landed.keep_entries)
        try:
            with closing(client):
                stores = Stores(engine, client, redis, bounds)
                return await erase(stores, settings.api.audit_secret.get_secret_value(), wanted, _by())
        finally:
            await redis.aclose()

    return with_engine(settings, work)


def exported(settings: Settings, wanted: str, to: Path) -> Iterator[tuple[str, int]]:
    """Writes what a tenant has into a folder; (file, rows) of each when it is there."""
    tenant(settings, wanted)
    to.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        files = {kind: stack.enter_context((to / f"{kind}.ndjson").open("wb")) for kind in export.KINDS}
        written = with_engine(settings, lambda engine: _write_rows(engine, wanted, files))
    yield from ((f"{kind}.ndjson", number) for kind, number in written.items())
    with closing(connect_clickhouse(settings.clickhouse, patience_s=_PATIENCE_S)) as client:
        for month in export.months(client, wanted):
            name = f"ticks-{month // 100}-{month % 100:02}.parquet"
            yield name, export.write_month(client, wanted, month, to / name)


async def _write_rows(engine: AsyncEngine, wanted: str, files: Mapping[str, BinaryIO]) -> dict[str, int]:
    """Each row as a line of JSON in the file of its kind; how many."""
    written = dict.fromkeys(files, 0)
    async for kind, values in export.rows(engine, wanted):
        files[kind].write(_ENCODER.encode(values) + b"\n")
        written[kind] += 1
    return written


async def _connected(work: Callable[[AsyncConnection], Awaitable[T]], engine: AsyncEngine) -> T:
    async with engine.connect() as connection:
        return await work(connection)


def _by() -> By:
    return By(CLI, PUBLIC, "", clock.now())


def _new(settings: Settings) -> tuple[ApiKey, New]:
    pepper = settings.api.peppers.present
    if not pepper:
        raise DataProcessingError(
            "DATA_PROC_API_KEY_PEPPER is empty. Set it to the one that the API has, else it knows no key that is made.",
            "settings",
        )
    key = apikey.make()
    return key, New(key.id, key.digest(pepper), apikey.fingerprint(pepper))


def _pepper(settings: Settings, fingerprint: str | None) -> str:
    """Which pepper a digest is under, as words."""
    peppers = settings.api.peppers
    if peppers.present and fingerprint == apikey.fingerprint(peppers.present):
        return "present"
    return "before" if peppers.before and fingerprint == apikey.fingerprint(peppers.before) else "unknown"
