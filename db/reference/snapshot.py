"""The whole reference as of one version: read from PostgreSQL, carried through Redis as bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
import polars as pl
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.postgres.reference import all_instruments, all_names
from db.reference.rows import rows_of
from pipeline.arrow import from_stream, to_stream
from pipeline.errors import DataProcessingError
from pipeline.reference.tables import TABLES

INSTRUMENTS: Final = "instruments"
NAMES: Final = "instrument_names"
_VERSIONS: Final = text("SELECT version, tables FROM reference_version")


class Versions(NamedTuple):
    """`all` grows with every change, `tables` with those of the tables of `pipeline.reference.tables` alone."""

    all: int
    tables: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`tables`: those of `pipeline.reference.tables` with all tenants' rows, `instruments` (`REFERENCE`)
    and `instrument_names` (`db.postgres.reference.NAMES`)."""

    versions: Versions
    tables: Mapping[str, pl.DataFrame]

    @property
    def version(self) -> int:
        return self.versions.all

    @property
    def tables_version(self) -> int:
        return self.versions.tables


class _Packed(msgspec.Struct, array_like=True):
    version: int
    tables_version: int
    tables: dict[str, bytes]


async def read_versions(engine: AsyncEngine) -> Versions:
    """The versions as they are now."""
    async with engine.connect() as connection:
        return await _versions(connection)


async def read(engine: AsyncEngine, held: Snapshot | None = None) -> Snapshot:
    """The reference as it is now; of the tables those that are held, where they are still the same."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        versions = await _versions(connection)
        if held is not None and held.tables_version == versions.tables:
            tables = {name: held.tables[name] for name in TABLES}
        else:
            tables = {name: await rows_of(connection, table) for name, table in TABLES.items()}
        instruments, names = await all_instruments(connection), await all_names(connection)
    return Snapshot(versions, {**tables, INSTRUMENTS: instruments, NAMES: names})


def to_bytes(snapshot: Snapshot) -> bytes:
    packed = {name: to_stream(frame) for name, frame in snapshot.tables.items()}
    return msgspec.msgpack.encode(_Packed(*snapshot.versions, packed))


def from_bytes(blob: bytes) -> Snapshot:
    """What `to_bytes` wrote. Raises `DataProcessingError` for other bytes, those of another program among them."""
    try:
        packed = msgspec.msgpack.decode(blob, type=_Packed)
        tables = {name: from_stream(stream) for name, stream in packed.tables.items()}
    except (msgspec.MsgspecError, pl.exceptions.PolarsError, OSError) as error:
        raise DataProcessingError(f"Redis holds no snapshot of the reference: {error}", "reference") from None
    wrong = [name for name, table in TABLES.items() if name not in tables or tables[name].schema != table.schema]
    if wrong:
        raise DataProcessingError(f"the snapshot in Redis has other tables than this program: {wrong}", "reference")
    return Snapshot(Versions(packed.version, packed.tables_version), tables)


async def _versions(connection: AsyncConnection) -> Versions:
    return Versions(*(await connection.execute(_VERSIONS)).one())
