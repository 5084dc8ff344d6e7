"""One answer for all: once in two seconds, the last one where nothing newer comes, never without a bound."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from api.problems import Problem
from api.status import board
from api.status.board import Board, Shown
from tests.api.fakes import Ticking
from tests.api.held_reads import turns


class Work:
    """Answers 1, 2, 3… when the test lets it; raises what it is told to."""

    def __init__(self) -> None:
        self.count = 0
        self.error: Exception | None = None
        self.free = asyncio.Event()
        self.free.set()

    async def __call__(self) -> bytes:
        self.count += 1
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return str(self.count).encode()


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def shown(work: Work, ticking: Ticking) -> Board:
    return Board(work, ticking)


def _away() -> Problem:
    return Problem(503, "store-away", "gone")


@asynccontextmanager
async def together(shown: Board, callers: int) -> AsyncGenerator[list[asyncio.Task[Shown]]]:
    tasks = [asyncio.create_task(shown.read()) for _ in range(callers)]
    await turns()
    yield tasks
    await asyncio.gather(*tasks)


async def test_callers_share_one_work(shown: Board, work: Work, ticking: Ticking) -> None:
    work.free.clear()
    async with together(shown, 50) as tasks:
        assert not any(task.done() for task in tasks)
        work.free.set()
    assert ({task.result().text for task in tasks}, work.count) == ({b"1"}, 1)
    ticking.now += 1.9
    assert await shown.read() == (b"1", pytest.approx(1.9), False)
    ticking.now += 0.1
    assert (await shown.read()).text == b"2"


async def test_the_last_answer_stands_while_a_store_is_away(shown: Board, work: Work, ticking: Ticking) -> None:
    await shown.read()
    work.error = _away()
    ticking.now += 5
    assert await shown.read() == (b"1", 5, True)
    work.free.clear()
    ticking.now += 5
    assert await asyncio.wait_for(shown.read(), 1) == (b"1", 10, True), "nobody waits for what fails"
    work.error = None
    work.free.set()
    await turns()
    assert (await shown.read()).stale is False


async def test_a_failing_store_is_asked_once_in_two_seconds(shown: Board, work: Work, ticking: Ticking) -> None:
    work.error = _away()
    for _ in range(3):
        with pytest.raises(Problem, match="do not answer yet"):
            await shown.read()
    assert work.count == 1
    ticking.now += 2
    work.error = None
    assert (await shown.read()).text == b"2"


async def test_what_takes_too_long_ends(
    shown: Board, work: Work, ticking: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shown.read()
    monkeypatch.setattr(board, "MOST_S", 0.01)
    work.free.clear()
    ticking.now += 3
    assert await shown.read() == (b"1", 3, True)


async def test_a_caller_that_goes_away_stops_nobody(shown: Board, work: Work) -> None:
    work.free.clear()
    async with together(shown, 1) as tasks:
        gone = asyncio.create_task(shown.read())
        await turns()
        gone.cancel()
        await turns()
        work.free.set()
    assert tasks[0].result().text == b"1"
