from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest

from pipeline.curves.sessions import Sessions
from pipeline.schema import INSTANT

HOLIDAY = date(2026, 1, 19)  # a Monday
TRADING = Sessions("America/New_York", time(17), frozenset({HOLIDAY}))


def of(instant: datetime) -> date:
    return TRADING.of(pl.Series([instant], dtype=INSTANT)).item()


@pytest.mark.parametrize(
    ("instant", "session"),
    [
        (datetime(2026, 1, 27, 22, 0, tzinfo=UTC), date(2026, 1, 27)),  # 17:00 itself
        (datetime(2026, 1, 27, 22, 0, 0, 1, tzinfo=UTC), date(2026, 1, 28)),
        (datetime(2026, 7, 27, 21, 0, tzinfo=UTC), date(2026, 7, 27)),  # in summer an hour earlier in UTC
        (datetime(2026, 7, 27, 21, 1, tzinfo=UTC), date(2026, 7, 28)),
        (datetime(2026, 1, 9, 23, tzinfo=UTC), date(2026, 1, 12)),  # Friday evening
        (datetime(2026, 1, 16, 23, tzinfo=UTC), date(2026, 1, 20)),  # before a Monday that is none
        (datetime(2026, 1, 19, 15, tzinfo=UTC), date(2026, 1, 20)),
    ],
)
def test_an_instant_lies_in_the_session_that_ends_next(instant: datetime, session: date) -> None:
    assert of(instant) == session


def test_of_a_year_every_instant_lies_between_two_closes() -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    instants = pl.Series([first + timedelta(minutes=37 * step) for step in range(14_000)], dtype=INSTANT)
    days = TRADING.of(instants)
    before = TRADING.days(TRADING.numbers(days) - 1)
    assert (TRADING.closes(before) < instants).all()
    assert (instants <= TRADING.closes(days)).all()


def test_ordinals_count_trading_days_alone() -> None:
    days = pl.Series([date(2026, 1, 16), HOLIDAY, date(2026, 1, 20), date(2026, 1, 24)])
    first, holiday, second, saturday = TRADING.numbers(days)
    assert (holiday, saturday) == (None, None)
    assert second - first == 1


def test_around_a_day_lie_the_sessions_before_and_after() -> None:
    found = TRADING.around([date(2026, 1, 17)], 1, 1)
    assert found == [date(2026, 1, 16), date(2026, 1, 20), date(2026, 1, 21)]


def test_a_session_ends_an_hour_later_where_the_clock_skips_its_end() -> None:
    """In Cairo midnight of 2023-04-28, a Friday, was skipped."""
    cairo = Sessions("Africa/Cairo", time(0), frozenset())
    closes = cairo.closes(pl.Series([date(2023, 4, 27), date(2023, 4, 28)], dtype=pl.Date))
    assert closes.to_list() == [datetime(2023, 4, 26, 22, tzinfo=UTC), datetime(2023, 4, 27, 22, tzinfo=UTC)]


def test_around_the_first_and_the_last_day_there_are_no_others() -> None:
    assert TRADING.around([date(1990, 1, 2)], 3, 0) == [date(1990, 1, 1), date(1990, 1, 2)]
    assert TRADING.around([date(2100, 12, 30)], 0, 5) == [date(2100, 12, 30), date(2100, 12, 31)]
