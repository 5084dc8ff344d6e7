"""Long ranges in slices: nothing twice, nothing missing, never more than two at a time."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.problems import Problem
from api.ranges import slices
from api.ranges.slices import ROWS
from api.ranges.streaming import Streams, begun
from api.reads.ports import Page, Window
from db.clickhouse.counts import COUNTED
from tests.api.fakes import START

HOUR = timedelta(hours=1)
WHOLE = Window(START, START + 10 * HOUR, None, 0)


def counted(*rows: int) -> pl.DataFrame:
    return pl.DataFrame({"hour": [START + n * HOUR for n in range(len(rows))], "rows": rows}, schema=dict(COUNTED))


class Store:
    """Rows `at, n`, read in pages; the hook is called before each read."""

    def __init__(self, starts: Sequence[datetime]) -> None:
        self.rows = [(at, n) for n, at in enumerate(sorted(starts))]
        self.reads = 0

    async def page(self, window: Window) -> Page:
        self.reads += 1
        after = window.after if isinstance(window.after, int) else -1
        found = [row for row in self.rows if window.start <= row[0] < window.end and row[1] > after]
        rows = pl.DataFrame(found[: window.limit], schema={"at": COUNTED["hour"], "n": pl.Int64()}, orient="row")
        return Page(rows, rows["n"][-1] if len(found) > window.limit else None)


async def _numbers(frames: slices.Frames) -> list[int]:
    return [n async for rows in frames for n in rows["n"]]


@pytest.mark.parametrize(
    ("rows", "hours"),
    [
        ([], [0]),
        ([1, 1, 1], [0]),
        ([ROWS, 1, ROWS - 1, 1], [0, 1, 3]),
        ([ROWS // 2, ROWS], [0, 1]),
        ([ROWS * 2], [0, 0.5]),
        ([1, ROWS * 4, 1], [0, 1, 1.25, 1.5, 1.75, 2]),
    ],
)
def test_parts_begin_where_enough_rows_are_gathered(rows: list[int], hours: list[float]) -> None:
    assert slices.cuts(counted(*rows), WHOLE) == [START + hour * HOUR for hour in hours]


def test_parts_lie_in_the_range() -> None:
    inner = Window(START + 0.6 * HOUR, START + 0.8 * HOUR, None, 0)
    assert slices.cuts(counted(ROWS * 10), inner) == [START + hour * HOUR for hour in (0.6, 0.7)]


@given(
    st.lists(st.integers(0, 599), max_size=60),
    st.lists(st.integers(1, 599), max_size=5),
    st.integers(1, 7),
    st.integers(1, 70),
)
async def test_wherever_it_is_cut_every_row_comes_once(
    minutes: list[int], cuts: list[int], size: int, most: int
) -> None:
    store = Store([START + timedelta(minutes=minute) for minute in minutes])
    starts = [START, *sorted({START + timedelta(minutes=cut) for cut in cuts})]
    frames = slices.first(slices.paged(store.page, slices.windows(starts, WHOLE, size)), most)
    assert await _numbers(slices.ahead(frames)) == list(range(len(minutes)))[:most]


async def test_a_range_without_rows_has_one_frame_that_tells_the_columns() -> None:
    frames = await begun(slices.paged(Store([]).page, slices.windows([START, START + HOUR], WHOLE, 10)))
    assert [(rows.height, rows.columns) async for rows in frames] == [(0, ["at", "n"])]


async def test_rows_from_a_position_on_come_once_whatever_part_it_lies_in() -> None:
    store = Store([START + n * HOUR for n in range(8)])
    whole = Window(START, START + 10 * HOUR, 4, 0)
    parts = slices.windows([START, START + 3 * HOUR, START + 6 * HOUR], whole, 2)
    assert await _numbers(slices.paged(store.page, parts)) == [5, 6, 7]


async def test_one_slice_is_read_ahead_and_no_more() -> None:
    store = Store([START + timedelta(minutes=n) for n in range(50)])
    frames = slices.ahead(slices.paged(store.page, slices.windows([START], WHOLE, 5)))
    for taken in (1, 2, 3):
        await anext(frames)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert store.reads == taken + 1
    await frames.aclose()
    assert store.reads == 4


async def test_who_goes_away_stops_what_is_being_read() -> None:
    begins, stopped = asyncio.Event(), asyncio.Event()

    async def page(window: Window) -> Page:
        if not begins.is_set():
            begins.set()
            return Page(pl.DataFrame({"n": [1]}), 1)
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        raise AssertionError

    frames = slices.ahead(slices.paged(page, slices.windows([START], WHOLE, 1)))
    await anext(frames)
    await asyncio.sleep(0)
    await frames.aclose()
    assert stopped.is_set()


async def test_what_fails_ahead_fails_in_its_turn() -> None:
    async def page(window: Window) -> Page:
        if window.after is None:
            return Page(pl.DataFrame({"n": [1]}), 1)
        raise Problem(503, "store-away", "clickhouse does not answer.")

    frames = slices.ahead(slices.paged(page, slices.windows([START], WHOLE, 1)))
    assert (await anext(frames))["n"].to_list() == [1]
    with pytest.raises(Problem, match="does not answer"):
        await anext(frames)


def test_places_are_given_back_once() -> None:
    streams = Streams(2)
    first, _ = streams.take("public"), streams.take("public")
    with pytest.raises(Problem, match="no place for one more") as raised:
        streams.take("acme")
    assert (raised.value.status, raised.value.headers["Retry-After"]) == (503, "10")
    first()
    first()
    streams.take("acme")
    with pytest.raises(Problem):
        streams.take("other")


@pytest.mark.parametrize(("most", "own"), [(1, 1), (2, 1), (3, 2)])
def test_a_customer_leaves_a_place_for_others(most: int, own: int) -> None:
    streams = Streams(most)
    held = [streams.take("acme") for _ in range(own)]
    with pytest.raises(Problem):
        streams.take("acme")
    if most > 1:
        streams.take("other")
    held[0]()
    streams.take("acme")
