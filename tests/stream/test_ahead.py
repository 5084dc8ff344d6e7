"""A snapshot may be ahead of what the process has handed out: what it has shown already does not come after it."""

import asyncio
from typing import Any

from tests.api.fakes import GAS
from tests.api.live.streaming import World, prices_of
from tests.polling import until_async

TICKS: dict[str, Any] = {"channel": "ticks", "instruments": [GAS]}
PRICES: dict[str, Any] = {"channel": "prices", "instruments": [GAS]}


class Held:
    """A read of a store that answers once it may."""

    def __init__(self, world: World, name: str) -> None:
        self.calls = 0
        self.gate = asyncio.Event()
        self._real = getattr(world.reads, name)
        setattr(world.reads, name, self._read)

    async def _read(self, *arguments: Any, **more: Any) -> Any:
        self.calls += 1
        await self.gate.wait()
        return await self._real(*arguments, **more)


async def test_what_lies_before_a_snapshot_does_not_come_after_it(world: World) -> None:
    async with world.client(world.key()) as one, world.client(world.key()) as two:
        await one.subscribed(id=1, **TICKS)
        held = Held(world, "landed_ticks")
        world.ticks(0, "1")
        await until_async(lambda: held.calls == 1)
        assert (await two.subscribed(id=1, **TICKS))["seq"] == 1
        held.gate.set()
        world.ticks(1, "2")
        update = await two.frame("update")
    assert (update["prev_seq"], update["seq"], prices_of([update])) == (1, 2, [2])


async def test_the_token_of_a_heartbeat_does_not_lie_before_the_snapshot(world: World) -> None:
    async with world.client(world.key()) as one, world.client(world.key()) as two:
        await one.subscribed(id=1, **TICKS)
        held = Held(world, "landed_ticks")
        world.ticks(0, "1")
        await until_async(lambda: held.calls == 1)
        await two.subscribed(id=1, **TICKS)
        beat = await two.frame("heartbeat")
        while not beat["subscriptions"]:
            beat = await two.frame("heartbeat")
        held.gate.set()
    world.ticks(1, "2")
    await world.heard()
    async with world.client(world.key()) as again:
        await again.subscribed(id=1, **TICKS, resume=beat["subscriptions"][0]["resume"])
    assert [(each["prev_seq"], each["seq"]) for each in again.of("update")] == [(1, 2)]
