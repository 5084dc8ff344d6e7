"""What happens to the stream while it runs, each at a moment that the writer's work names."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.polling import until_async
from tests.stream.client import Client
from tests.stream.proxy import Proxy
from tests.stream.recipe import Recipe
from tests.stream.recorder import Recorder
from tests.stream.server import Server
from tests.stream.writer import Writer, burst, flood, rebuild

WITHIN_S: Final = 90.0
OFFSETS: Final = 26  # of a flood: 8 MB
STALLED_S: Final = 6.0  # longer than who may not wait has, and shorter than a client waits for a heartbeat
KEEP: Final = 300  # entries of the log
A_ROUND: Final = ("cut", "half_open", "delay", "kill", "stall", "empty", "away", "cut")


@dataclass
class Scene:
    """Whom it happens to: each client has a proxy of its own. `happened` counts what each fault has done."""

    server: Server
    writer: Writer
    recorder: Recorder
    recipe: Recipe
    clients: Sequence[Client]
    proxies: Sequence[Proxy]
    random: Random
    happened: dict[str, int] = field(default_factory=dict[str, int])

    async def batches(self, count: int) -> None:
        """Returns once so many more have landed."""
        until = self.writer.landed + count
        await self.until(lambda: self.writer.landed >= until, f"{count} batches have landed")

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        await until_async(lambda: condition() or self.writer.is_over, WITHIN_S, what)
        assert self.writer.failure is None, repr(self.writer.failure)

    def some(self, share: float = 0.4) -> list[int]:
        return self.random.sample(range(len(self.clients)), max(1, int(share * len(self.clients))))

    def count(self, what: str, times: int) -> None:
        self.happened[what] = self.happened.get(what, 0) + times


async def inject(name: str, scene: Scene) -> None:
    """Makes a fault happen; returns once it is over."""
    happenings: dict[str, Callable[[Scene], Awaitable[None]]] = {
        "cut": _cut, "delay": _delay, "half_open": _half_open, "stall": _stall, "kill": _kill, "empty": _empty,
        "away": _away,
    }  # fmt: skip
    await happenings[name](scene)
    scene.count(name, 1)


async def _cut(scene: Scene) -> None:
    for proxy in scene.proxies:
        proxy.cut()
    await scene.batches(1)


async def _delay(scene: Scene) -> None:
    for number in scene.some():
        scene.proxies[number].delay_s = scene.random.uniform(0.02, 0.2)
    await scene.batches(2)
    _heal(scene)


async def _half_open(scene: Scene) -> None:
    """Who hears nothing notices by the heartbeats that are missing, and comes again."""
    some = scene.some(0.2)
    before = {number: scene.clients[number].ends.count("TimeoutError") for number in some}
    for number in some:
        scene.proxies[number].half_open()
    noticed = lambda: all(scene.clients[n].ends.count("TimeoutError") > before[n] for n in some)  # noqa: E731
    await scene.until(noticed, "a dead connection is noticed")
    _heal(scene)


async def _stall(scene: Scene) -> None:
    """Who does not read is dealt with by its policy, also in a flood; then it reads what waited."""
    heavy = _heavy(scene)
    await scene.until(lambda: all(scene.clients[n].is_live for n in heavy), "those whom the flood meets listen")
    for number in heavy:
        scene.proxies[number].stall()
    await scene.until(scene.writer.ask(flood(scene.recipe, OFFSETS)), "the flood has landed")
    end = time.monotonic() + STALLED_S
    await scene.until(lambda: time.monotonic() >= end, "it was too long for who may not wait")
    _heal(scene)
    await scene.batches(1)


def _heavy(scene: Scene) -> list[int]:
    """Whom a flood meets."""
    wants = [each.wanted for each in scene.clients]
    return [n for n, each in enumerate(wants) if each.channel == "ticks" and scene.recipe.heavy in each.names]


async def _kill(scene: Scene) -> None:
    await asyncio.to_thread(scene.server.kill)
    await scene.batches(1)
    await asyncio.to_thread(scene.server.start)


async def _empty(scene: Scene) -> None:
    """In the middle of whatever the worker does; then the prices are made again, as Gridtick's beat has it done."""
    await asyncio.to_thread(scene.recorder.empty)
    done = scene.writer.ask(rebuild)
    await scene.until(done, "the prices are whole again")
    await scene.batches(1)


async def _away(scene: Scene) -> None:
    """Some are away for longer than the log reaches back."""
    some = scene.some(0.5)
    for number in some:
        scene.proxies[number].refusing = True
        scene.proxies[number].cut()
    await scene.until(scene.writer.ask(burst(scene.recipe.burst, KEEP + 20)), "much was told")
    await scene.batches(1)
    _heal(scene)


def _heal(scene: Scene) -> None:
    for proxy in scene.proxies:
        proxy.heal()
