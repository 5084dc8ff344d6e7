"""Lanes that are stopped until a person lets them go on: a fact that outlives the bridge that found the reason."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.tables import stops


class Stop(NamedTuple):
    """Why a lane reads nothing more, as sentences, and since when."""

    lane: str
    reason: str
    since: datetime


async def stop(engine: AsyncEngine, wanted: Stop) -> None:
    """Stops a lane; the first reason stands."""
    async with engine.begin() as connection:
        await connection.execute(insert(stops).values(wanted._asdict()).on_conflict_do_nothing())


async def stopped(engine: AsyncEngine) -> list[Stop]:
    """Every lane that is stopped."""
    async with engine.connect() as connection:
        rows = (
            await connection.execute(select(stops.c.lane, stops.c.reason, stops.c.since).order_by(stops.c.lane))
        ).all()
    return [Stop(*row) for row in rows]


async def resume(engine: AsyncEngine, lane: str) -> bool:
    """Lets a lane go on: its bridge looks every few seconds. False where it was not stopped."""
    async with engine.begin() as connection:
        found = await connection.execute(delete(stops).where(stops.c.lane == lane).returning(stops.c.lane))
        return found.first() is not None
