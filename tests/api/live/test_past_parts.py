"""What history is told with: steps, their pace, what was told already, and tokens."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl
import pytest

from api.live import steps
from api.live.overlap import Overlap
from api.live.row import Row
from api.live.tempo import Tempo
from api.live.tokens import Past, Token
from db.clickhouse.replay import BECAME
from pipeline.schema import LATEST
from tests.api.fakes import START, Ticking

SECOND = timedelta(seconds=1)


def became(*seconds: int) -> pl.DataFrame:
    """Prices that became known at these instants."""
    rows = [("public", f"I{at}", START, START, START + second * SECOND) for at, second in enumerate(seconds)]
    return pl.DataFrame(rows, schema=dict(BECAME), orient="row")


@pytest.mark.parametrize(
    ("seconds", "width", "now", "count"),
    [
        ([1, 2, 3], 0, 0, 1),
        ([1, 1, 3], 0, 0, 2),
        ([1, 2, 3], 1, 0, 2),
        ([1, 2, 3], 0, 3, 3),
        ([1, 2, 2, 2, 3], 9, 9, 1),  # at most two, but whole instants
        ([1, 1, 1, 1, 2], 0, 9, 4),  # more than two where they are of one
        ([1, 2, 3, 4, 5], 0, 9, 2),
    ],
)
def test_a_step_is_of_whole_instants_that_are_due(
    monkeypatch: pytest.MonkeyPatch, seconds: Sequence[int], width: int, now: int, count: int
) -> None:
    monkeypatch.setattr(steps, "A_STEP", 2 if len(seconds) > 3 else 1000)
    found = steps.first(became(*seconds), width * SECOND, START + now * SECOND)
    assert found["instrument"].to_list() == [f"I{at}" for at in range(count)]


async def test_history_goes_as_fast_as_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    ticking, slept = Ticking(), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        ticking.now += seconds

    monkeypatch.setattr(asyncio, "sleep", sleep)
    tempo = Tempo(START, 60, ticking)
    await tempo.until(START + 120 * SECOND)
    ticking.now += 1
    await tempo.until(START + 150 * SECOND)
    assert (slept, tempo.now()) == ([2], START + 180 * SECOND)
    assert tempo.width == 15 * SECOND, "four frames a second"


async def test_at_no_speed_nothing_is_waited_for() -> None:
    tempo = Tempo(START, 0, Ticking())
    await tempo.until(LATEST)
    assert (tempo.now(), tempo.is_bound) == (LATEST, False)


def row(text: str, ver: int = 0) -> Row:
    return Row("public", "I", "m", "p", "", 0, 0, ver, text.encode())


def test_what_was_told_is_not_told_again() -> None:
    ticking = Ticking()
    overlap = Overlap(ticking, 5, {}, {b"a": 2})
    assert overlap.lacking([row("x")], 5) == (), "of a number that it held"
    assert overlap.lacking([row("a"), row("b"), row("a"), row("a")], 6) == [row("b"), row("a")], "so many times"
    of_bars = Overlap(ticking, 0, {row("").key: 3})
    assert of_bars.lacking([row("a", 3), row("b", 4)], 1) == [row("b", 4)]
    ticking.now += 61
    assert of_bars.lacking([row("a", 3)], 2) == [row("a", 3)], "by then all of it has been told"


def test_tokens_of_history_are_read_as_they_were_written() -> None:
    token = Past("bars", datetime.fromisoformat("2026-07-01T12:00:00.000001+00:00"), 0.25, 7)
    assert Past.read(token.text()) == token._replace(told=True)
    live = Token("bars", "0" * 32, 1, 2, "3-0", 4).text()
    assert Past.read(live) is None
    assert Token.read(token.text()) is None
    assert Past.read(token.text() + "0x") is None
