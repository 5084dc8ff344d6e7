"""Shared by the tests of the client: nothing waits, and what would have been waited is told."""

import asyncio
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from tests.client.streaming import Script, Serve, Server


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that a client would have waited before it sent a request again."""
    found: list[float] = []

    async def pause(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr("gridtick.client.http.pause", found.append)
    monkeypatch.setattr("gridtick.client.http.async_pause", pause)
    return found


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that a stream would have waited between connections."""
    found: list[float] = []

    async def pause(seconds: float) -> None:
        found.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr("gridtick.client.stream.engine.pause", pause)
    return found


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> Generator[Serve]:
    """Starts servers whose scripts a stream meets; it does not wait between connections."""
    assert pauses == []
    with ExitStack() as stack:

        def started(*scripts: Script, heartbeat_s: float = 30.0) -> Server:
            server = Server(*scripts, heartbeat_s=heartbeat_s)
            stack.enter_context(server.serving(monkeypatch))
            return server

        yield started
