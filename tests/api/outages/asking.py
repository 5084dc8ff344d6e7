"""All operations asked at once, and what each was answered after how long."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from api.reads.ports import Store
from tests.api.outages.table import ASKED, Row
from tests.api.outages.world import World

PATIENCE_S: Final = 60.0  # of the tests' client: more than any answer may take


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx.Headers
    seconds: float
    text: str


def ask_all(world: World, together: int = 100) -> dict[str, Answer]:
    """Every operation of the table that is asked, so many `together`."""

    async def every() -> list[Answer]:
        turns = asyncio.Semaphore(together)
        async with _client(world) as client:
            return await asyncio.gather(*(_asked(client, world, row, turns) for row in ASKED.values()))

    return dict(zip(ASKED, asyncio.run(every()), strict=True))


def flood(world: World, path: str, number: int, *others: str) -> tuple[list[Answer], list[Answer]]:
    """One path asked many times at once, and others while those wait."""

    async def every() -> tuple[list[Answer], list[Answer]]:
        turns = asyncio.Semaphore(number + len(others))
        async with _client(world) as client:
            many = [asyncio.ensure_future(_asked(client, world, Row(path, "503", "503"), turns)) for _ in range(number)]
            beside = [_asked(client, world, Row(other, "503", "503"), turns) for other in others]
            return await asyncio.gather(*many), await asyncio.gather(*beside)

    return asyncio.run(every())


def surprises(answers: Mapping[str, Answer], without: Store | None, within_s: float) -> list[str]:
    """What is not as the table says."""
    wanted = {name: _status(row, without) for name, row in ASKED.items()}
    return [
        f"{name}: {answer.status}, not {wanted[name]}, after {answer.seconds:.1f} s: {answer.text[:150]}"
        for name, answer in answers.items()
        if answer.status != wanted[name] or answer.seconds > within_s or not _tells_when(name, answer)
    ]


def _client(world: World) -> httpx.AsyncClient:
    # None is used again: the server closes what was idle for 5 s, which a busy machine is late to notice.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=world.url, timeout=PATIENCE_S, limits=limits)


async def _asked(client: httpx.AsyncClient, world: World, row: Row, turns: asyncio.Semaphore) -> Answer:
    assert row.path is not None
    async with turns:
        began = time.monotonic()
        answer = await client.get(row.path.format(**world.words), headers={"X-API-Key": world.keys[row.whose]})
        return Answer(answer.status_code, answer.headers, time.monotonic() - began, answer.text)


def _status(row: Row, without: Store | None) -> int:
    return 503 if without and row.without(without) == "503" else row.usual


def _tells_when(name: str, answer: Answer) -> bool:
    return answer.status != 503 or "Retry-After" in answer.headers or name == "GET /readyz"
