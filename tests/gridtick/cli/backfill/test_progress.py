"""What a user sees, and how long is waited."""

import io
import os
import re
import signal
from collections.abc import Iterator

import pytest
from rich.console import Console

from gridtick.cli.backfill import landed
from gridtick.cli.backfill.estimate import Count
from gridtick.cli.backfill.landed import until_landed
from gridtick.cli.backfill.progress import Shown
from gridtick.cli.backfill.stop import stopping
from pipeline.errors import DataProcessingError


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ([], "landed 0 of 5,000"),
        ([(0, 400)], "landed 400 of 5,000"),
        ([(0, 400), (10, 1400)], "landed 1,400 of 5,000, 100 a second, about 36 s left"),
        ([(0, 400), (100, 500)], "landed 500 of 5,000, 1.0 a second, about 75 min left"),
        ([(0, 0), (100, 10)], "landed 10 of 5,000, 0.1 a second, about 13 h 52 min left"),
        ([(0, 0), (10, 5000)], "landed 5,000 of 5,000"),
        ([(0, 0), (50, 1000), (120, 1000)], "landed 1,000 of 5,000"),  # nothing in the last minute
        ([(5, 7), (5, 9)], "landed 9 of 5,000"),
    ],
)
def test_a_rate_is_of_the_last_minute(seen: list[tuple[float, int]], said: str) -> None:
    count = Count("landed", 5000)
    for at, number in seen:
        count.reach(number, at)
    assert count.said() == said


def test_without_a_terminal_a_line_is_written_now_and_then() -> None:
    out, seconds = io.StringIO(), iter(range(0, 1000, 4))
    counts = Count("sent", 90), Count("landed", 90)
    with Shown(counts, Console(file=out, width=20), lambda: next(seconds)) as shown:
        for number in range(1, 7):
            shown.reach(counts[number % 2], number)
    assert out.getvalue().splitlines() == [
        "sent 2 of 90; landed 3 of 90, 0.2 a second, about 6 min left",
        "sent 6 of 90, 0.2 a second, about 6 min left; landed 5 of 90, 0.2 a second, about 6 min left",
    ]


def test_on_a_terminal_there_is_a_bar_for_each() -> None:
    out = io.StringIO()
    counts = Count("sent", 90), Count("landed", 90)
    with Shown(counts, Console(file=out, width=100, force_terminal=True, color_system=None)) as shown:
        for each in counts:
            shown.reach(each, 45)
    assert re.search("━━ +sent 45 of 90", out.getvalue())
    assert re.search("━━ +landed 45 of 90", out.getvalue())


def _landing(numbers: list[int], every_s: float) -> list[int]:
    seconds, left = iter(every_s * n for n in range(1000)), iter(numbers)
    told: list[int] = []
    until_landed(lambda: next(left), 10, told.append, lambda: next(seconds), lambda _: None)
    return told


def test_it_is_waited_as_long_as_something_lands() -> None:
    assert _landing([0, 4, 4, 9, 10], landed.LANDS_WITHIN_S - 1) == [0, 4, 4, 9, 10]


def test_nothing_lands() -> None:
    with pytest.raises(DataProcessingError, match="for 600 s nothing has landed, 6 messages are left"):
        _landing([0, 4, 4, 4, 4, 10], landed.LANDS_WITHIN_S / 2)


@pytest.fixture
def noted_signals() -> Iterator[list[int]]:
    noted: list[int] = []
    before = {each: signal.signal(each, lambda number, _: noted.append(number)) for each in (15, 1)}
    yield noted
    for each, handler in before.items():
        signal.signal(each, handler)


def test_the_first_signal_isnoted_signals_and_the_second_does_what_it_did(noted_signals: list[int]) -> None:
    with stopping() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert (stop.asked, stop.status, noted_signals) == (15, 143, [])
        os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGHUP)
    assert noted_signals == [15, 1]


def test_a_signal_that_is_ignored_stays_so(noted_signals: list[int]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stopping() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        assert stop.asked == 0
