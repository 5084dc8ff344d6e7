"""Where nothing is known of how far prices have come, no interval is taken for closed."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from api.live import closing
from tests.api.fakes import GAS
from tests.api.live.streaming import World
from tests.polling import until_async
from tests.stream.test_ahead import Held


async def test_after_a_lost_log_intervals_are_not_counted_from_1970_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would be millions, and while they are counted nobody gets anything."""
    spans, looks = list[timedelta](), list[datetime]()
    real = closing.last_closed

    def between(series: closing.Series, after: datetime, until: datetime) -> Iterator[closing.Closed]:
        spans.append(until - after)
        return iter(())

    def last_closed(series: closing.Series, known: datetime) -> datetime:
        looks.append(known)
        return real(series, known)

    monkeypatch.setattr(closing, "between", between)
    monkeypatch.setattr(closing, "last_closed", last_closed)
    async with world.client(world.key()) as client:
        await client.subscribed(id=1, channel="bars", instruments=[GAS], interval="5m")
        await until_async(lambda: len(looks) > 2)
        held = Held(world, "known_until")
        await until_async(lambda: held.calls > 0)
        world.reads.log.empty()
        world.bar("1")
        await client.frame("caught_up")
        await client.frame("heartbeat")
        await client.frame("heartbeat")
        held.gate.set()
        looks.clear()
        await until_async(lambda: len(looks) > 2)
    assert max(spans) < timedelta(days=1)
