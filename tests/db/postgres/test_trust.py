"""Pooled connections that died without a word are noticed, all with one question."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres import trust
from db.postgres.engine import make_engine
from db.postgres.trust import Trust
from service.settings import Settings
from tests.api.outages.proxy import Door, Doors, doors
from tests.api.outages.world import through

pytestmark = pytest.mark.stack


@pytest.fixture
def opened() -> Iterator[Doors]:
    with doors() as opened:
        yield opened


async def _number(engine: AsyncEngine) -> int:
    """Of the server's process that answers."""
    async with engine.connect() as connection:
        return (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()


def _engine(settings: Settings, opened: Doors, known: Trust) -> tuple[AsyncEngine, Door]:
    dsn = settings.postgres.dsn.get_secret_value()
    split = urlsplit(dsn)
    assert split.hostname is not None
    assert split.port is not None
    door = opened.open(split.hostname, split.port)
    return make_engine(through(dsn, door), trust=known), door


async def test_dead_connections_are_replaced_after_one_question(
    settings: Settings, opened: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "ANSWER_S", 0.5)
    engine, door = _engine(settings, opened, Trust())
    before = set(await asyncio.gather(*(_number(engine) for _ in range(5))))
    opened.turn(door, "silent")
    opened.turn(door, "pass")
    loop = asyncio.get_running_loop()
    began = loop.time()
    after = [await _number(engine) for _ in range(5)]
    assert loop.time() - began < 5 * trust.ANSWER_S
    assert not before & set(after)
    await engine.dispose()


async def test_a_connection_is_used_again_until_trust_in_it_is_lost(settings: Settings, opened: Doors) -> None:
    known = Trust()
    engine, _ = _engine(settings, opened, known)
    first = await _number(engine)
    assert await _number(engine) == first
    known.lose()
    assert await _number(engine) != first
    await engine.dispose()
