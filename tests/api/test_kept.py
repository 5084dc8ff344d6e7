"""Prices kept in the process: what is read again, what is shared, what is forgotten."""

import pytest

from api.latest.aging import FOR_EVER
from api.latest.kept import Cell, Kept
from tests.api import fakes
from tests.api.held_reads import NUMBERS, A, Asking, B, Store, priced


async def test_what_is_kept_is_not_read_again(kept: Kept, store: Store, ask: Asking) -> None:
    first = await ask(A, B)
    await store.answer(0, A=priced("1"), B=Cell(None, FOR_EVER))
    again = await ask(B, A)
    assert first.result() == again.result() == {A: priced("1"), B: Cell(None, FOR_EVER)}
    assert kept.whole(NUMBERS, [B, A], 0) == [Cell(None, FOR_EVER), priced("1")]
    assert store.asked == [[A, B]]


async def test_only_what_is_missing_is_read(kept: Kept, store: Store, ask: Asking) -> None:
    await ask(A)
    await store.answer(0, A=priced("1"))
    assert kept.whole(NUMBERS, [A, B], 0) is None
    both = await ask(A, B)
    await store.answer(1, B=priced("2"))
    assert both.result() == {A: priced("1"), B: priced("2")}
    assert store.asked == [[A], [B]]


async def test_it_is_kept_until_its_instant_and_not_at_all_where_that_is_0(
    kept: Kept, store: Store, ask: Asking
) -> None:
    await ask(A, B)
    await store.answer(0, A=priced("1", 100), B=priced("2", 0))
    assert kept.whole(NUMBERS, [A], 99) is not None
    assert kept.whole(NUMBERS, [A], 100) is None
    assert kept.whole(NUMBERS, [B], -1) is None
    await ask(A, B, now_us=100)
    assert store.asked == [[A, B], [A, B]]


async def test_all_who_ask_share_the_read_under_way(store: Store, ask: Asking) -> None:
    first, second, third = await ask(A, B), await ask(B), await ask(A)
    await store.answer(0, A=priced("1"), B=priced("2"))
    assert [task.result() for task in (second, third)] == [{B: priced("2")}, {A: priced("1")}]
    assert first.done()
    assert store.asked == [[A, B]]


async def test_one_who_goes_away_does_not_end_the_read_of_the_others(store: Store, ask: Asking) -> None:
    first, second = await ask(A), await ask(A)
    first.cancel()
    await store.answer(0, A=priced("1"))
    assert (first.cancelled(), second.result()) == (True, {A: priced("1")})


async def test_a_read_that_fails_fails_for_all_and_is_forgotten(kept: Kept, store: Store, ask: Asking) -> None:
    both, alone = await ask(A, B), await ask(A)
    await store.fail(0)
    for task in (both, alone):
        with pytest.raises(ConnectionError):
            task.result()
    again = await ask(A)
    await store.answer(1, A=priced("1"))
    assert again.result() == {A: priced("1")}
    assert kept.whole(NUMBERS, [A], 0) == [priced("1")]


async def test_more_than_the_bound_is_not_kept(ticking: fakes.Ticking, store: Store) -> None:
    kept = Kept(ticking, most=3)
    kept.confirm(ticking.now)
    ask = Asking(kept, store)
    for read in range(5):
        await ask(("public", str(read)))
        await store.answer(read, **{str(read): priced("1")})
    held = [kept.whole(NUMBERS, [("public", str(each))], 0) is not None for each in range(5)]
    assert held == [False, False, True, True, True]
    await ask(("public", "x"), ("public", "y"), ("public", "z"), ("public", "w"))
    await store.answer(5, x=priced("1"), y=priced("1"), z=priced("1"), w=priced("1"))
    held = [kept.whole(NUMBERS, [("public", each)], 0) is not None for each in "234xyzw"]
    assert held == [False, False, False, False, True, True, True]


async def test_changes_grow_with_everything_that_goes(kept: Kept, store: Store, ask: Asking) -> None:
    await ask(A)
    await store.answer(0, A=priced("1", 100))
    seen = [kept.changes]
    kept.drop([B])
    assert kept.changes == seen[-1]
    await ask(A, now_us=100)
    await store.answer(1, A=priced("2"))
    seen.append(kept.changes)
    kept.drop([A])
    seen.append(kept.changes)
    kept.clear()
    seen.append(kept.changes)
    assert sorted(set(seen)) == seen
