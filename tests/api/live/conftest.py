import time
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from api.live import closing, connection, keys, live, log, replaying, starting
from tests.api import fakes
from tests.api.live.streaming import World, served


@pytest.fixture
async def world(reads: fakes.FakeReads, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A stream that looks often, so that a test need not wait."""
    for module, name, seconds in (
        (log, "WAIT_S", 0.02), (log, "_AGAIN_S", 0.01), (starting, "_AGAIN_S", 0.01),
        (replaying, "_AGAIN_S", 0.01), (live, "_LOOK_S", 0.02),
        (live, "_SURE_S", 0.05), (keys, "EVERY_S", 0.05), (connection, "HEARTBEAT_S", 0.2),
        (closing, "EVERY_S", 0.02),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, seconds)
    with TemporaryDirectory(prefix="gt") as folder:  # the path of a socket is short
        state = fakes.state(reads, time.monotonic)
        async with served(reads, state, Path(folder)) as world:
            yield world
