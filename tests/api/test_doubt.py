"""A store that answers nobody: told soon, at once to who comes later, and over as soon as it answers."""

import asyncio
from typing import Final

import pytest

from api.problems import Problem
from api.reads import doubt
from api.reads.away import Watch
from api.reads.doubt import Probe
from service.metrics import Metrics

_A_WHILE: Final = 5.0


class Silent:
    """A store that answers calls and questions only while `answering` is set."""

    def __init__(self) -> None:
        self.answering, self.was_asked = asyncio.Event(), asyncio.Event()
        self.asked = 0
        self.forgotten = 0
        self.watch = Watch(Metrics("api"), {"clickhouse": Probe(self.ask, self.forget)})

    async def ask(self) -> None:
        self.asked += 1
        self.was_asked.set()
        await self.answering.wait()

    async def forget(self) -> None:
        self.forgotten += 1

    async def call(self, seconds: float = 30.0) -> None:
        async with self.watch.reading("clickhouse", seconds):
            await self.answering.wait()

    async def until_back(self) -> None:
        async with asyncio.timeout(_A_WHILE):
            while True:
                try:
                    return await self.call()
                except Problem:
                    await asyncio.sleep(0)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Silent:
    for name in ("DOUBT_S", "ANSWER_S", "AGAIN_S"):
        monkeypatch.setattr(doubt, name, 0.01)
    return Silent()


async def test_all_who_wait_are_told_and_who_comes_later_at_once(silent: Silent) -> None:
    waiting = [asyncio.ensure_future(silent.call()) for _ in range(20)]
    async with asyncio.timeout(_A_WHILE):
        told = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in told} == {Problem}
    assert silent.asked >= doubt.TIMES
    with pytest.raises(Problem, match="clickhouse does not answer"):
        async with silent.watch.reading("clickhouse"):
            pytest.fail("it is not called")


async def test_it_is_back_once_it_answers_and_its_connections_are_others(silent: Silent) -> None:
    with pytest.raises(Problem):
        await silent.call()
    assert silent.forgotten == 0
    silent.answering.set()
    await silent.until_back()
    assert silent.forgotten == 1


async def test_a_call_that_takes_long_is_left_alone_while_the_store_answers_the_question(silent: Silent) -> None:
    called = asyncio.ensure_future(_slow(silent))
    async with asyncio.timeout(_A_WHILE):
        await silent.was_asked.wait()
        silent.answering.set()
        assert await called


async def test_a_store_that_answers_others_is_not_asked(silent: Silent) -> None:
    called = asyncio.ensure_future(silent.call(0.2))
    while not called.done():
        async with silent.watch.reading("clickhouse"):
            await asyncio.sleep(0)
    with pytest.raises(Problem):
        await called
    assert silent.asked == 0


async def _slow(silent: Silent) -> bool:
    async with silent.watch.reading("clickhouse", 30):
        await silent.answering.wait()
        await asyncio.sleep(0.05)
    return True
