"""The ledger as a frame, for who compares it with what is stored."""

import polars as pl
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.tables import ledger

RANGES = {
    "topic": pl.String(),
    "topic_id": pl.String(),
    "partition": pl.Int32(),
    "first_offset": pl.Int64(),
    "next_offset": pl.Int64(),
    "messages": pl.Int64(),
    "ticks": pl.Int64(),
    "rejects": pl.Int64(),
    "dead_letters": pl.Int64(),
    "known_at_us": pl.Int64(),
    "batch_id": pl.String(),
    "landed_at": pl.Datetime("us", "UTC"),
}


async def ledger_ranges(engine: AsyncEngine, topic_id: str | None = None, partition: int | None = None) -> pl.DataFrame:
    """The landed ranges (`RANGES`) in order of topic id, partition and first offset."""
    columns = [ledger.c[name] for name in RANGES]
    statement = select(*columns).order_by(
        ledger.c.topic_id, ledger.c.partition, ledger.c.first_offset, ledger.c.next_offset
    )
    if topic_id is not None:
        statement = statement.where(ledger.c.topic_id == topic_id)
    if partition is not None:
        statement = statement.where(ledger.c.partition == partition)
    async with engine.connect() as connection:
        rows = (await connection.execute(statement)).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=RANGES, orient="row")
