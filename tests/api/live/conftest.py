import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from api.live import closing, connection, keys, live, log, sights, steps, turn
from tests.api import fakes
from tests.api.fakes import GAS, NODE, START
from tests.api.live.streaming import World, content, served


@pytest.fixture
async def world(reads: fakes.FakeReads, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A stream that looks often, so that a test need not wait."""
    for module, name, seconds in (
        (log, "WAIT_S", 0.02), (log, "_AGAIN_S", 0.01), (turn, "_AGAIN_S", 0.01), (live, "_LOOK_S", 0.02),
        (live, "_SURE_S", 0.05), (keys, "EVERY_S", 0.05), (sights, "EVERY_S", 0.05), (connection, "HEARTBEAT_S", 0.2),
        (closing, "EVERY_S", 0.02),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, seconds)
    with TemporaryDirectory(prefix="gt") as folder:  # the path of a socket is short
        state = fakes.state(reads, time.monotonic)
        async with served(reads, state, Path(folder)) as world:
            yield world


@pytest.fixture
def history(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each instant is a step; what became known by the third minute is sure to have landed."""
    monkeypatch.setattr(steps, "A_STEP", 1)
    world.reads.landed = START + timedelta(minutes=3, seconds=30)
    world.reads.priced = {("public", GAS): content(dict(world.reads.stored[4]))}
    world.price("0", name=NODE)  # the log is somewhere
