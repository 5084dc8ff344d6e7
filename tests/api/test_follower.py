"""The follower of the landed log: what it is told is dropped, and while it cannot follow nothing is kept."""

from collections.abc import Sequence
from typing import Final

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisGone

from api.latest.follower import LOOK_S, Follower
from api.latest.kept import CONFIRMED_S, Cells, Kept, Key
from api.live.log import Heard
from db.redis import generation
from db.redis.generation import Generation
from db.redis.landed import Change, Counters, Entry, Kind
from db.redis.live import Head
from tests.api import fakes
from tests.api.held_reads import NUMBERS, A, B, priced

READY: Final = Generation("ready", "e1")
HEAD: Final = Head("1-0", Counters("", {}))


class Register:
    """The generation of the latest prices."""

    def __init__(self) -> None:
        self.generation: Generation | Exception = READY
        self.reads = 0

    async def read(self, _: object) -> Generation:
        self.reads += 1
        if isinstance(self.generation, Exception):
            raise self.generation
        return self.generation


def entry(key: Key, kind: Kind = "latest") -> Entry:
    return Entry("2-0", 1, key[0], kind, [Change(key[1], "" if kind == "latest" else "1m", 1, 0)], None, b"")


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    register = Register()
    monkeypatch.setattr(generation, "read_async", register.read)
    return register


@pytest.fixture
def kept(ticking: fakes.Ticking) -> Kept:
    """Nothing confirms it but the follower."""
    return Kept(ticking)


@pytest.fixture
async def follower(register: Register, kept: Kept, ticking: fakes.Ticking) -> Follower:
    """It follows, and two prices are kept."""
    assert register.generation == READY
    follower = Follower(Redis(), kept)
    follower.begun(HEAD)
    await hear(follower, ticking)
    await keep(kept)
    return follower


async def hear(follower: Follower, ticking: fakes.Ticking, *entries: Entry, whole: bool = True) -> None:
    await follower.heard(Heard(entries, ticking.now, whole))


async def keep(kept: Kept) -> None:
    async def fetch(keys: Sequence[Key]) -> Cells:
        return dict.fromkeys(keys, priced("1"))

    await kept.cells(NUMBERS, [A, B], fetch, 0)
    assert held(kept) == [True, True]


def held(kept: Kept) -> list[bool]:
    return [kept.whole(NUMBERS, [key], 0) is not None for key in (A, B)]


async def test_what_it_is_told_is_dropped_and_the_rest_kept(
    follower: Follower, kept: Kept, ticking: fakes.Ticking
) -> None:
    await hear(follower, ticking, entry(A), entry(("other", "B")))
    assert (held(kept), kept.is_current()) == ([False, True], True)
    await hear(follower, ticking, entry(B))
    assert held(kept) == [False, False]


async def test_bars_drop_nothing(follower: Follower, kept: Kept, ticking: fakes.Ticking) -> None:
    await hear(follower, ticking, entry(A, "bar"))
    assert held(kept) == [True, True]


async def test_a_read_confirms_the_instant_at_which_it_began(
    follower: Follower, kept: Kept, ticking: fakes.Ticking
) -> None:
    began = ticking.now
    ticking.now += CONFIRMED_S + 0.1
    await follower.heard(Heard((), began, whole=True))
    assert not kept.is_current()
    await hear(follower, ticking)
    assert kept.is_current()
    assert held(kept) == [True, True]


async def test_where_there_is_more_nothing_is_confirmed(follower: Follower, kept: Kept, ticking: fakes.Ticking) -> None:
    ticking.now += CONFIRMED_S + 0.1
    await hear(follower, ticking, entry(A), whole=False)
    assert (held(kept), kept.is_current()) == ([False, True], False)


@pytest.mark.parametrize("lost", ["begun", "away"])
async def test_after_a_gap_or_while_the_log_is_away_all_is_forgotten(
    follower: Follower, kept: Kept, ticking: fakes.Ticking, lost: str
) -> None:
    if lost == "begun":
        follower.begun(HEAD)
    else:
        follower.away()
    assert (held(kept), kept.is_current()) == ([False, False], False)
    await hear(follower, ticking)
    assert kept.is_current()
    await keep(kept)


@pytest.mark.parametrize("other", [Generation("missing"), Generation("building", "e1"), Generation("ready", "e2")])
async def test_where_the_prices_are_others_all_is_forgotten(
    follower: Follower, register: Register, kept: Kept, ticking: fakes.Ticking, other: Generation
) -> None:
    register.generation = other
    await hear(follower, ticking)
    assert held(kept) == [True, True], "it has looked a moment ago"
    ticking.now += LOOK_S
    await hear(follower, ticking)
    assert (held(kept), kept.is_current()) == ([False, False], other.state == "ready")
    register.generation = READY
    ticking.now += LOOK_S
    await hear(follower, ticking)
    assert kept.is_current()


async def test_where_the_generation_cannot_be_read_nothing_is_confirmed(
    follower: Follower, register: Register, kept: Kept, ticking: fakes.Ticking
) -> None:
    register.generation = RedisGone("refused")
    ticking.now += CONFIRMED_S + 0.1
    with pytest.raises(RedisGone):
        await hear(follower, ticking)
    assert not kept.is_current()


async def test_it_is_looked_at_now_and_then(follower: Follower, register: Register, ticking: fakes.Ticking) -> None:
    before = register.reads
    for _ in range(5):
        await hear(follower, ticking)
    assert register.reads == before
