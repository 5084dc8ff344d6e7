"""Redis is emptied while a client is sent what it missed: the log was lost, and is not merely too short."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from tests.api.fakes import GAS
from tests.api.live.streaming import World
from tests.polling import until_async

BARS: dict[str, Any] = {"channel": "bars", "instruments": [GAS], "interval": "5m"}


async def test_a_log_that_is_lost_on_the_way_is_told_as_lost(world: World) -> None:
    async with world.client(world.key()) as client:
        token = (await _first(world, client))["resume"]
    world.bar("2", 5, 2)
    await world.heard()
    real, turns = world.reads.log_since, list[str]()

    async def emptied(kind: Any, after: str, until: str) -> Any:
        if not turns:
            world.reads.log.empty()
        turns.append(after)
        return await real(kind, after, until)

    world.reads.log_since = emptied  # type: ignore[method-assign]
    async with world.client(world.key()) as again:
        await again.subscribed(id=1, **BARS, resume=token)
    gaps = again.of("gap")
    assert gaps
    assert {(each["reason"], each["from_seq"], each["to_seq"]) for each in gaps} == {("lost", 1, None)}


async def _first(world: World, client: Any) -> Any:
    await client.subscribed(id=1, **BARS)
    world.bar("1", 0, 1)
    return await client.frame("update")


async def test_a_log_that_is_lost_before_a_client_is_resumed_is_told_as_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.client(world.key()) as client:
        token = (await _first(world, client))["resume"]
    hub, gate, waiting = world.state.live.hub, asyncio.Event(), list[bool]()

    async def until_following() -> None:
        waiting.append(True)
        await gate.wait()

    monkeypatch.setattr(hub, "until_following", until_following)
    async with world.client(world.key()) as again:
        await again.say("subscribe", id=1, **BARS, resume=token)
        await until_async(lambda: bool(waiting))
        life = hub.life
        world.reads.log.empty()
        await until_async(lambda: hub.life > life)
        gate.set()
        await again.frame("caught_up")
    gaps = [(each["reason"], each["from_seq"]) for each in again.of("gap")]
    assert set(gaps) == {("lost", 1)}, "what it was sent before does not lead to the snapshot"


async def test_who_begins_anew_begins_once_though_a_cancelling_gets_lost(world: World) -> None:
    """As it may in `asyncio.wait_for` before Python 3.12, by which redis-py writes."""
    real, deaf = world.reads.log_prices, list[bool]()

    async def log_prices(names: Any) -> Any:
        if not deaf:
            deaf.append(True)
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return await real(names)

    world.reads.log_prices = log_prices  # type: ignore[method-assign]
    world.price("1")
    async with world.client(world.key()) as client:
        await client.say("subscribe", id=1, channel="prices", instruments=[GAS])
        await until_async(lambda: bool(deaf))
        world.reads.log.empty()
        for _ in range(3):
            await client.frame("heartbeat")
    assert (len(client.of("snapshot")), len(client.of("caught_up"))) == (1, 1)
