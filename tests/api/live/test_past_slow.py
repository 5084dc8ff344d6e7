"""History for a client that is slow."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from api.live.asked import Subscribe
from api.live.frames import Frame
from tests.api.fakes import GAS, START
from tests.api.live.streaming import World
from tests.polling import until_async

pytestmark = pytest.mark.usefixtures("history")


class Way:
    """Frames, and after how many there was no room; `when_full` is waited for before the last of three."""

    ready = True

    def __init__(self, when_full: Callable[[], Awaitable[None]]) -> None:
        self.sent: list[str] = []
        self.waited: list[int] = []
        self._when_full = when_full

    def write(self, frame: Frame) -> None:
        self.sent.append(frame.type)

    async def room(self) -> None:
        self.waited.append(len(self.sent))
        if len(self.waited) == 3:
            await self._when_full()

    def send_away(self, code: int, reason: str) -> None: ...


async def told(world: World, way: Way) -> None:
    """Three prices of history, and one of now."""
    mine = world.state.live.open(way)
    mine.principal = await world.state.live.keys.admitted(world.key().removeprefix("gt_live_").split("_")[0])
    await mine.subscribe(Subscribe(id=1, channel="prices", instruments=[GAS], from_=START + timedelta(minutes=2.5)))
    await until_async(lambda: "caught_up" in way.sent)
    world.price("200", at=10)
    await until_async(lambda: way.sent[-1] == "update")
    world.state.live.close(mine)


async def test_frames_wait_for_room(world: World) -> None:
    async def nothing() -> None: ...

    way = Way(nothing)
    await told(world, way)
    assert [each for each in way.sent if each != "heartbeat"] == [
        "subscribed", "snapshot", "update", "update", "caught_up", "update",
    ]  # fmt: skip
    assert way.waited == [at for at, kind in enumerate(way.sent[:-1]) if kind in {"snapshot", "update"}]


async def test_a_log_that_is_lost_while_a_client_is_slow_is_joined_anew(world: World) -> None:
    """What was offered until then was of the log before."""
    hub = world.state.live.hub

    async def emptied() -> None:
        life = hub.life
        world.reads.log.empty()
        await until_async(lambda: hub.life > life)

    way = Way(emptied)
    await told(world, way)
    assert [each for each in way.sent if each != "heartbeat"] == [
        "subscribed", "snapshot", "update", "update", "caught_up", "update",
    ]  # fmt: skip
