from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import times


def read(*cells: str | None) -> tuple[list[datetime | None], list[str | None]]:
    values, reasons = times.instants(pl.Series(cells, dtype=pl.String))
    return values.to_list(), reasons.to_list()


@given(
    st.lists(
        st.datetimes(datetime(1991, 1, 1), datetime(2099, 1, 1)).flatmap(  # noqa: DTZ001
            lambda at: st.tuples(
                st.just(at),
                st.sampled_from(["microseconds", "milliseconds", "seconds", "minutes"]),
                st.integers(-14 * 60, 14 * 60),
                st.booleans(),
            )
        ),
        min_size=1,
        max_size=20,
    )
)
def test_equals_python(cases: list[tuple[datetime, str, int, bool]]) -> None:
    texts = [
        at.replace(tzinfo=UTC).isoformat(timespec=spec).replace("+00:00", "Z")
        if utc
        else at.replace(tzinfo=timezone(timedelta(minutes=minutes))).isoformat(timespec=spec)
        for at, spec, minutes, utc in cases
    ]
    values, reasons = read(*texts)
    assert values == [datetime.fromisoformat(text).astimezone(UTC) for text in texts]
    assert reasons == [None] * len(texts)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("2024-01-01T00:00:00", times.NO_OFFSET), ("2024-01-01T00:00:00.1234567Z", times.TOO_FINE),
     ("1960-01-01T00:00:00Z", times.OUT_OF_BOUNDS), ("2100-01-01T00:00:00.000Z", times.OUT_OF_BOUNDS),
     ("2024-02-30T00:00:00Z", times.NOT_A_TIME), ("2024-01-01T00:00:60.000Z", times.NOT_A_TIME),
     ("2024-01-01T00:61:00.000Z", times.NOT_A_TIME), ("2024-01-01T24:00:00Z", times.NOT_A_TIME),
     (" 2024-1-01T00:00:00.000Z", times.NOT_A_TIME), ("now", times.NOT_A_TIME), ("", times.NOT_A_TIME),
     ("2024-01-01", times.NOT_A_TIME), (None, times.ABSENT)],
)  # fmt: skip
def test_refused_beside_good_ones(text: str | None, reason: str) -> None:
    good = datetime(2024, 1, 1, 0, 0, 0, 123_000, tzinfo=UTC)
    values, reasons = read("2024-01-01T00:00:00.123Z", text)
    assert values == [good, None]
    assert reasons == [None, reason]


def test_zeros_beyond_the_microsecond_are_no_loss() -> None:
    assert read("2024-01-01T00:00:00.12345600Z")[0] == [datetime(2024, 1, 1, 0, 0, 0, 123_456, tzinfo=UTC)]
