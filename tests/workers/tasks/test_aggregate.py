"""One poisoned bucket blocks neither another batch nor the other buckets of its own."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.bars import count, touched
from pipeline.schema import INSTANT
from service.metrics import Metrics
from workers.header import BatchHeader
from workers.queues import PASS
from workers.tasks import aggregate
from workers.tasks.aggregate import Stored, passed
from workers.tasks.base import DataError

DAY = datetime(2024, 1, 1, tzinfo=UTC)
CONTEXT: Any = SimpleNamespace()


def _stored(name: str, buckets: list[int]) -> Stored:
    header = BatchHeader(name, "a", "t", "tid", 0, 0, 1, 1, 0)
    starts = pl.Series("start", [DAY + timedelta(minutes=each) for each in buckets], dtype=INSTANT)
    ticks = starts.to_frame().select(
        tenant=pl.lit("t"), instrument=pl.lit("x"), market=pl.lit("demo"), product=pl.lit("tick"), start="start"
    )
    return Stored(header, touched(ticks))


class Engine:
    """Computes buckets, except the poisoned ones: a pass that holds one of them fails as a whole."""

    def __init__(self, poisoned: set[int]) -> None:
        self.poisoned = {DAY + timedelta(minutes=each) for each in poisoned}
        self.computed: set[datetime] = set()
        self.refused: list[str] = []

    def run(self, context: object, buckets: pl.DataFrame) -> pl.DataFrame:
        starts = set(buckets["start"].to_list())
        assert count(buckets) == len(starts)  # no two minutes lie in one run of ten seconds
        if starts & self.poisoned:
            raise DataError("Code: 407. Decimal overflow")
        self.computed |= starts
        return buckets

    def refuse(self, context: object, header: BatchHeader, error: str) -> None:
        self.refused.append(header.batch_id)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=6, unique=True), max_size=6),
    st.sets(st.integers(0, 20), max_size=3),
)
def test_only_batches_with_a_poisoned_bucket_are_refused(
    monkeypatch: pytest.MonkeyPatch, batches: list[list[int]], poisoned: set[int]
) -> None:
    engine = Engine(poisoned)
    monkeypatch.setattr(aggregate, "make", engine.run)
    monkeypatch.setattr(aggregate, "refuse", engine.refuse)
    stored = [_stored(str(at), buckets) for at, buckets in enumerate(batches)]
    done: list[Any] = list(passed(CONTEXT, stored))
    fine = [each.header.batch_id for some, _ in done for each in some]
    expected = [str(at) for at, buckets in enumerate(batches) if not poisoned & set(buckets)]
    assert sorted(fine) == sorted(expected)
    assert sorted(engine.refused + fine) == sorted(each.header.batch_id for each in stored)
    wanted = {DAY + timedelta(minutes=each) for buckets in batches for each in buckets} - engine.poisoned
    assert engine.computed == wanted
    assert {start for _, buckets in done for start in buckets["start"]} == wanted, "and all of it is told"


@pytest.mark.parametrize(("lane", "pause_s", "after_s"), [("live", 0, 0), ("live", 1.5, 1.5), ("backfill", 0, 10)])
def test_what_came_while_a_live_pass_ran_is_gathered(
    monkeypatch: pytest.MonkeyPatch, lane: str, pause_s: float, after_s: float
) -> None:
    """More of it is on its way, and would be for ever: who waits for it is told later than need be."""
    passes, metrics = MagicMock(), Metrics("workers")
    passes.take.return_value, passes.waiting.return_value = None, 1
    passes.is_idle.return_value, passes.acquire_turn.return_value = False, True
    passes.pause_left.return_value = pause_s
    core, sent = SimpleNamespace(lane=lane), MagicMock()
    context = SimpleNamespace(passes=passes, metrics=metrics, settings=SimpleNamespace(core=core))
    monkeypatch.setattr(aggregate, "current", lambda: context)
    monkeypatch.setattr(aggregate.spreads, "plan", MagicMock())
    monkeypatch.setattr(aggregate.history, "undone", MagicMock(return_value={}))
    monkeypatch.setattr(aggregate, "publish", sent)
    aggregate.run_pass()
    sent.assert_called_once_with(aggregate.app, PASS, after_s=after_s)


def test_a_server_that_is_away_refuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(context: object, buckets: pl.DataFrame) -> pl.DataFrame:
        raise ConnectionError("away")

    engine = Engine(set())
    monkeypatch.setattr(aggregate, "make", away)
    monkeypatch.setattr(aggregate, "refuse", engine.refuse)
    with pytest.raises(ConnectionError):
        list(passed(CONTEXT, [_stored("0", [1]), _stored("1", [2])]))
    assert engine.refused == []
