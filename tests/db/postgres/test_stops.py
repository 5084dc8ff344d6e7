"""A lane that is stopped, on a real server."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.engine import make_engine
from db.postgres.stops import Stop, resume, stop, stopped
from service.settings import LANES, Settings
from workers.bridge.brake import PostgresStops
from workers.runner import Runner

pytestmark = pytest.mark.stack

AT = datetime(2025, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def _clean(engine: AsyncEngine) -> AsyncIterator[None]:
    yield
    for lane in ("live", "backfill"):
        await resume(engine, lane)


async def test_the_first_reason_stands_until_it_is_lifted(engine: AsyncEngine) -> None:
    await stop(engine, Stop("live", "first", AT))
    await stop(engine, Stop("live", "second", AT))
    await stop(engine, Stop("backfill", "other", AT))
    assert await stopped(engine) == [Stop("backfill", "other", AT), Stop("live", "first", AT)]
    assert await resume(engine, "live")
    assert not await resume(engine, "live")
    assert await stopped(engine) == [Stop("backfill", "other", AT)]


def test_the_brake_reads_and_writes_the_row_of_its_lane(settings: Settings) -> None:
    runner = Runner()
    made = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    live, backfill = (PostgresStops(made, runner, lane) for lane in LANES)
    live.stop("too many")
    assert (live.reason(), backfill.reason()) == ("too many", "")
    live.resume()
    assert live.reason() == ""
    runner.close()
