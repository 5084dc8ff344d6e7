"""Many ticks: whatever is read at once and however the engine cuts it, every price comes once, with all it has."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.problems import Problem
from api.ranges import slices
from api.reads.many import ManyReads
from api.reads.ports import Window
from db.clickhouse import reads
from db.clickhouse.query import Query
from pipeline.publications import current
from tests.db.clickhouse.rows import DAY, generic, publications

MINUTE: Final = timedelta(minutes=1)
WHOLE: Final = Window(DAY, DAY + timedelta(hours=1), None, 0)
_ORDER: Final = list(reads.TickPosition._fields)


class Engine:
    """Publications in their order; answers come in batches of a size."""

    def __init__(self, stored: pl.DataFrame, size: int) -> None:
        self.stored = stored.sort(_ORDER)
        self.size = size
        self.running = self.most = self.asked = 0

    async def batches(self, _client: object, query: Query) -> Sequence[pl.DataFrame]:
        self.asked += 1
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        given = {name: _value(value) for name, value in query.parameters.items()}
        after = tuple(given[f"after_{name}"] for name in _ORDER) if "after_start" in given else ()
        inside = [
            given["low"] <= row["start"] < given["high"] and tuple(row[name] for name in _ORDER) > after
            for row in self.stored.iter_rows(named=True)
        ]
        rows = self.stored.filter(pl.Series(inside, dtype=pl.Boolean)).head(given["limit"])
        return [*rows.iter_slices(self.size)] or [rows]


def _value(given: Any) -> Any:
    """Instants as they are in frames."""
    try:
        return datetime.strptime(given, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return given


def _stored(counts: Sequence[tuple[int, int]]) -> pl.DataFrame:
    """So many publications of a price that begins at a minute, each correcting the one before."""
    return publications([
        generic("public", DAY + minute * MINUTE, str(n), event_id=str(number), offset=1000 * number + n)
        for number, (minute, count) in enumerate(counts)
        for n in range(count)
    ])  # fmt: skip


async def _read(engine: Engine, monkeypatch: pytest.MonkeyPatch, cuts: Sequence[int], limit: int) -> list[Any]:
    made = object.__new__(ManyReads)
    monkeypatch.setattr("api.reads.many.fetch_batches", engine.batches)
    monkeypatch.setattr(made, "_clickhouse", None, raising=False)
    monkeypatch.setattr(made, "_watch", _Watch(), raising=False)
    starts = [DAY, *(DAY + cut * MINUTE for cut in cuts)]
    parts = slices.windows(starts, WHOLE, limit)
    frames = [rows async for rows in made.many_ticks(["public"], ["POWER"], parts, None)]
    assert frames
    return pl.concat(frames).to_dicts()


class _Watch:
    def reading(self, _store: str) -> "_Watch":
        return self

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


@given(
    st.lists(st.tuples(st.integers(0, 59), st.integers(1, 7)), max_size=12),
    st.lists(st.integers(1, 59), max_size=3, unique=True).map(sorted),
    st.integers(1, 9),
    st.integers(1, 6),
)
async def test_every_price_comes_once_with_its_last_value(
    counts: list[tuple[int, int]], cuts: list[int], limit: int, size: int
) -> None:
    engine = Engine(_stored(counts), size)
    with pytest.MonkeyPatch.context() as patch:
        found = await _read(engine, patch, cuts, limit)
    assert found == current(engine.stored).to_dicts()
    assert engine.most <= 2


async def test_one_part_is_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(_stored([(minute, 1) for minute in range(60)]), 100)
    found = await _read(engine, monkeypatch, [10, 20, 30, 40, 50], 100)
    assert (len(found), engine.asked, engine.most) == (60, 6, 1)


async def test_what_fails_is_told_once_it_is_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(_stored([(5, 1), (15, 1)]), 100)
    real = engine.batches

    async def failing(client: object, query: Query) -> Sequence[pl.DataFrame]:
        if engine.asked:
            raise Problem(503, "store-away", "clickhouse does not answer.")
        return await real(client, query)

    monkeypatch.setattr(engine, "batches", failing)
    with pytest.raises(Problem, match="does not answer"):
        await _read(engine, monkeypatch, [10], 100)
