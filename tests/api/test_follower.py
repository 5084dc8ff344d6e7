"""The follower of the landed log: what it is told is dropped, and while it cannot follow nothing is kept."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Final

import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisGone

from api.latest import follower
from api.latest.follower import WAIT_S, Follower
from api.latest.kept import CONFIRMED_S, Cells, Kept, Key
from db.redis import generation, landed
from db.redis.generation import Generation
from db.redis.landed import A_READ, Change, Entry, Kind, Read
from tests.api import fakes
from tests.api.held_reads import NUMBERS, A, B, priced, turns

READY: Final = Generation("ready", "e1")


def entry(key: Key, kind: Kind = "latest") -> Entry:
    return Entry("2-0", key[0], kind, [Change(key[1], "" if kind == "latest" else "1m", 1, 0)])


class Log:
    """A log that gives what a test puts, and the generation of the prices beside it."""

    def __init__(self) -> None:
        self.generation = READY
        self.away = False
        self.followed: list[str] = []
        self._given: asyncio.Queue[Read | Exception] = asyncio.Queue()

    async def tell(self, *entries: Entry, position: str = "2-0", gap: bool = False) -> None:
        self._given.put_nowait(Read(entries, position, gap))
        await turns()

    async def fail(self, error: Exception) -> None:
        self._given.put_nowait(error)
        await turns()

    async def read_newest(self, _: object) -> str:
        if self.away:
            raise RedisGone("refused")
        return "1-0"

    async def follow(self, _: object, after: str, wait_s: float) -> Read:
        assert wait_s == WAIT_S
        self.followed.append(after)
        given = await self._given.get()
        if isinstance(given, Exception):
            raise given
        return given

    async def read_generation(self, _: object) -> Generation:
        return self.generation


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    monkeypatch.setattr(landed, "newest_async", log.read_newest)
    monkeypatch.setattr(landed, "follow", log.follow)
    monkeypatch.setattr(generation, "read_async", log.read_generation)
    monkeypatch.setattr(follower, "_AGAIN_S", 0)
    return log


@pytest.fixture
def kept(ticking: fakes.Ticking) -> Kept:
    """Nothing confirms it but the follower."""
    return Kept(ticking)


@pytest.fixture
async def following(log: Log, kept: Kept, ticking: fakes.Ticking) -> AsyncIterator[asyncio.Task[None]]:
    """The follower at work, and two prices that are kept."""
    assert log.generation == READY
    task = asyncio.ensure_future(Follower(Redis(), kept, ticking).run())
    await turns()
    await keep(kept)
    yield task
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def keep(kept: Kept) -> None:
    async def fetch(keys: Sequence[Key]) -> Cells:
        return dict.fromkeys(keys, priced("1"))

    await kept.cells(NUMBERS, [A, B], fetch, 0)
    assert held(kept) == [True, True]


def held(kept: Kept) -> list[bool]:
    return [kept.whole(NUMBERS, [key], 0) is not None for key in (A, B)]


@pytest.mark.usefixtures("following")
async def test_what_it_is_told_is_dropped_and_the_rest_kept(log: Log, kept: Kept) -> None:
    await log.tell(entry(A), entry(("other", "B")))
    assert (held(kept), kept.is_current()) == ([False, True], True)
    await log.tell(entry(B), position="3-0")
    assert held(kept) == [False, False]
    assert log.followed == ["1-0", "2-0", "3-0"]


@pytest.mark.usefixtures("following")
async def test_bars_drop_nothing(log: Log, kept: Kept) -> None:
    await log.tell(entry(A, "bar"))
    assert held(kept) == [True, True]


@pytest.mark.usefixtures("following")
async def test_a_read_confirms_the_instant_at_which_it_began(log: Log, kept: Kept, ticking: fakes.Ticking) -> None:
    ticking.now += CONFIRMED_S + 0.1
    assert not kept.is_current()
    await log.tell()
    assert not kept.is_current(), "it began before"
    await log.tell()
    assert kept.is_current()
    assert held(kept) == [True, True]


@pytest.mark.usefixtures("following")
async def test_after_a_gap_all_is_forgotten_and_the_log_followed_anew(log: Log, kept: Kept) -> None:
    await log.tell(gap=True)
    assert held(kept) == [False, False]
    assert log.followed == ["1-0", "1-0"]
    await keep(kept)


@pytest.mark.usefixtures("following")
async def test_where_the_log_is_ahead_all_is_forgotten(log: Log, kept: Kept) -> None:
    await log.tell(*[entry(("other", "X"))] * (A_READ - 1))
    assert held(kept) == [True, True]
    await log.tell(*[entry(("other", "X"))] * A_READ)
    assert held(kept) == [False, False]
    assert log.followed == ["1-0", "2-0", "1-0"]


@pytest.mark.usefixtures("following")
@pytest.mark.parametrize("other", [Generation("missing"), Generation("building", "e1"), Generation("ready", "e2")])
async def test_where_the_prices_are_others_all_is_forgotten(
    log: Log, kept: Kept, ticking: fakes.Ticking, other: Generation
) -> None:
    log.generation = other
    await log.tell()
    assert held(kept) == [True, True], "it has looked a moment ago"
    ticking.now += WAIT_S
    await log.tell()
    await log.tell()
    assert (held(kept), kept.is_current()) == ([False, False], other.state == "ready")
    log.generation = READY
    await turns()
    assert kept.is_current()


@pytest.mark.usefixtures("following")
@pytest.mark.parametrize("error", [RedisGone("refused"), TimeoutError(), msgspec.DecodeError("no log")])
async def test_while_redis_is_away_nothing_is_kept(
    log: Log, kept: Kept, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    reasons = list(dict.fromkeys([f"{type(error).__name__}: {error}", "ConnectionError: refused"]))
    for _ in range(2):
        log.away = True
        with caplog.at_level(logging.WARNING, "api.latest.follower"):
            await log.fail(error)
            await turns()
        assert (held(kept), kept.is_current()) == ([False, False], False)
        said = [record.__dict__["why"] for record in caplog.records]
        assert said == reasons, "each reason once, however often it is tried"
        caplog.clear()
        log.away = False
        await turns()
        assert kept.is_current()
        await keep(kept)


async def test_once_it_ends_nothing_is_kept(following: asyncio.Task[None], kept: Kept) -> None:
    following.cancel()
    await turns()
    assert following.cancelled()
    assert (held(kept), kept.is_current()) == ([False, False], False)
