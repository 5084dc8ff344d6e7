"""No answer is older than one before it, whatever reads, drops and the log do meanwhile."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from api.latest.aging import FOR_EVER
from api.latest.kept import CONFIRMED_S, Cells, Kept, Key, Kind
from tests.api import fakes
from tests.api.held_reads import NUMBERS, TEXTS, A, Asking, B, Store, priced, turns

KEYS: Final = (A, B, ("public", "C"))


async def test_a_read_whose_price_is_dropped_is_shown_and_not_kept(kept: Kept, store: Store, ask: Asking) -> None:
    before = await ask(A, B)
    kept.drop([A])
    after = await ask(A)
    await store.answer(0, A=priced("old"), B=priced("2"))
    assert before.result()[A] == priced("old")
    assert not after.done()
    await store.answer(1, A=priced("new"))
    assert after.result() == {A: priced("new")}
    assert store.asked == [[A, B], [A]]
    assert kept.whole(NUMBERS, [B], 0) == [priced("2")]


async def test_a_dropped_read_that_ends_last_is_not_known_to_be_older(kept: Kept, store: Store, ask: Asking) -> None:
    await ask(A)
    kept.drop([A])
    await ask(A)
    await store.answer(1, A=priced("2"))
    assert kept.whole(NUMBERS, [A], 0) == [priced("2")]
    await store.answer(0, A=priced("3"))
    assert kept.whole(NUMBERS, [A], 0) is None


async def test_a_read_that_is_joined_for_one_price_does_not_bring_others(kept: Kept, store: Store, ask: Asking) -> None:
    await ask(A, B)
    kept.drop([A])
    await ask(A)
    await store.answer(1, A=priced("new"))
    both = await ask(A, B)
    await store.answer(0, A=priced("old"), B=priced("2"))
    assert both.result() == {A: priced("new"), B: priced("2")}


async def test_of_a_price_one_kind_is_kept(kept: Kept, store: Store, ask: Asking) -> None:
    await ask(A)
    await store.answer(0, A=priced("1"))
    other = await ask(A, kind=TEXTS)
    await store.answer(1, A=priced('"2"'))
    assert other.result() == {A: priced('"2"')}
    assert (kept.whole(NUMBERS, [A], 0), kept.whole(TEXTS, [A], 0)) == (None, [priced('"2"')])


async def test_a_read_of_another_kind_is_not_shared_and_ends_the_sharing(kept: Kept, store: Store, ask: Asking) -> None:
    await ask(A)
    await ask(A, kind=TEXTS)
    await store.answer(1, A=priced('"2"'))
    late = await ask(A)
    await store.answer(0, A=priced("1"))
    assert not late.done(), "it would be older than what was shown as text"
    assert kept.whole(TEXTS, [A], 0) is None
    assert store.asked == [[A], [A], [A]]


async def test_without_word_from_the_log_every_read_goes_to_the_stores(
    kept: Kept, store: Store, ask: Asking, ticking: fakes.Ticking
) -> None:
    await ask(A)
    await store.answer(0, A=priced("1"))
    ticking.now += CONFIRMED_S
    assert (await ask(A)).result() == {A: priced("1")}
    ticking.now += 0.001
    assert not kept.is_current()
    first, second = await ask(A), await ask(A)
    await store.answer(1, A=priced("3"))
    await store.answer(2, A=priced("2"))
    assert (first.result(), second.result()) == ({A: priced("3")}, {A: priced("2")})
    assert [list(keys) for keys in store.asked] == [[A]] * 3
    kept.confirm(ticking.now)
    assert kept.whole(NUMBERS, [A], 0) is None, "newer ones have been shown"


async def test_after_a_clear_nothing_is_kept_until_the_next_confirm(
    kept: Kept, store: Store, ask: Asking, ticking: fakes.Ticking
) -> None:
    await ask(A)
    await store.answer(0, A=priced("1"))
    under_way = await ask(B)
    kept.clear()
    assert not kept.is_current()
    kept.confirm(ticking.now)
    await store.answer(1, B=priced("2"))
    assert under_way.result() == {B: priced("2")}
    assert [kept.whole(NUMBERS, [key], 0) for key in (A, B)] == [None, None]


class World:
    """A store, its log, a follower and callers, in whatever order a random source puts their steps."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._ticking = fakes.Ticking()
        self._kept = Kept(self._ticking, most=2)
        self._stored = dict.fromkeys(KEYS, 0)
        self._shown = dict.fromkeys(KEYS, 0)  # the newest that anybody was shown
        self._log: list[tuple[float, Key]] = []
        self._followed = 0
        self._read: tuple[int, float] | None = None
        self._waiting: list[tuple[asyncio.Future[Cells], Sequence[Key]]] = []
        self._brought: list[tuple[asyncio.Future[Cells], Cells]] = []
        self._asking: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        steps = [self._write, self._ask, self._execute, self._land, self._look, self._follow, self._wait, self._fail]
        weights = [2, 6, 5, 5, 3, 3, 2, 0.3]
        for _ in range(300):
            self._rng.choices(steps, weights)[0]()
            await turns()
        while self._waiting or self._brought:
            self._execute()
            self._land()
            await turns()
        await asyncio.gather(*self._asking)

    def _write(self) -> None:
        key = self._rng.choice(KEYS)
        self._stored[key] += 1
        self._log.append((self._ticking.now, key))

    def _wait(self) -> None:
        self._ticking.now += self._rng.choice((0.01, 0.1, 0.5, CONFIRMED_S + 0.1))

    def _ask(self) -> None:
        keys, kind = self._rng.sample(KEYS, self._rng.randint(1, len(KEYS))), self._rng.choice((NUMBERS, TEXTS))
        self._asking.append(asyncio.ensure_future(self._asked(kind, keys)))

    async def _asked(self, kind: Kind, keys: Sequence[Key]) -> None:
        least = {key: max(self._shown[key], self._landed(key, self._ticking.now - CONFIRMED_S)) for key in keys}
        try:
            found = await self._kept.cells(kind, keys, self._fetch, 0)
        except ConnectionError:
            return
        for key, cell in found.items():
            assert cell.row is not None
            version = int(cell.row.before)
            assert version >= least[key]
            self._shown[key] = max(self._shown[key], version)

    def _landed(self, key: Key, at: float) -> int:
        return sum(1 for when, each in self._log if each == key and when < at)

    async def _fetch(self, keys: Sequence[Key]) -> Cells:
        self._waiting.append((asyncio.get_running_loop().create_future(), keys))
        return await self._waiting[-1][0]

    def _execute(self) -> None:
        """The store reads; the answer is under way."""
        if self._waiting:
            future, keys = self._waiting.pop(self._rng.randrange(len(self._waiting)))
            until = self._rng.choice((0, FOR_EVER, FOR_EVER))
            self._brought.append((future, {key: priced(str(self._stored[key]), until) for key in keys}))

    def _land(self) -> None:
        if self._brought:
            future, cells = self._brought.pop(self._rng.randrange(len(self._brought)))
            future.set_result(cells)

    def _fail(self) -> None:
        if self._waiting:
            self._waiting.pop()[0].set_exception(ConnectionError("gone"))

    def _look(self) -> None:
        """The follower's read of the log; what it brings is under way."""
        if self._read is None:
            self._read = len(self._log), self._ticking.now

    def _follow(self) -> None:
        if self._read is not None:
            (end, began), self._read = self._read, None
            self._kept.drop(key for _, key in self._log[self._followed : end])
            self._followed = end
            self._kept.confirm(began)


@given(st.integers(0, 2**32))
def test_nobody_is_shown_an_older_price_than_one_shown_before(seed: int) -> None:
    asyncio.run(World(Random(seed)).run())
