"""The process of the API ends where what follows the log does: it is made anew, and clients resume."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from api.service import ApiService
from service.settings import load


class Server:
    """Serves until it is asked to exit."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    def __setattr__(self, name: str, value: object) -> None:
        if name == "should_exit" and value:
            self.ended.set()
        super().__setattr__(name, value)

    async def serve(self) -> None:
        await self.ended.wait()


async def for_ever() -> None:
    await asyncio.Event().wait()


async def fails() -> None:
    raise RuntimeError("the stream is broken")


async def test_a_process_that_tells_nothing_any_more_ends_with_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    service, server = ApiService(load({})), Server()
    parts: dict[str, Any] = {
        "_server": server,
        "_denials": SimpleNamespace(run=server.ended.wait, stop=lambda: None),
        "_usage": SimpleNamespace(run=for_ever),
        "_live": SimpleNamespace(run=fails, stop=lambda: None),
        "_log": lambda: SimpleNamespace(run=for_ever),
    }
    for name, part in parts.items():
        monkeypatch.setattr(service, name, part)
    with pytest.raises(RuntimeError, match="broken"):
        async with asyncio.timeout(5):
            await service.run()
    assert server.ended.is_set()
