from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipeline.errors import DataProcessingError
from pipeline.schema import TICKS, conform, empty
from workers.frames import frame_from_bytes, frame_to_bytes, with_columns


def test_frames_come_back_with_exact_decimals_and_types() -> None:
    instant = datetime(2024, 11, 3, 9, 59, 59, 999_999, tzinfo=UTC)
    frame = conform(
        pl.DataFrame(
            {
                "tenant": ["a", "b"],
                "price": [Decimal("-999999999.999999999"), Decimal("0.1")],
                "ts": [instant, None],
            },
            schema_overrides={"price": TICKS["price"], "ts": TICKS["ts"]},
        ),
        TICKS,
    )
    assert_frame_equal(frame_from_bytes(frame_to_bytes(frame)), frame)
    assert_frame_equal(frame_from_bytes(frame_to_bytes(empty(TICKS))), empty(TICKS))


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([1, None]), st.sampled_from([True, False])),
        max_size=4,
    )
)
def test_columns_that_are_alike_come_back_too(rows: list[tuple[str | None, int | None, bool]]) -> None:
    schema = {"name": pl.String(), "number": pl.Int64(), "flag": pl.Boolean()}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(same=pl.lit("x"))
    for some in (frame, frame.select("same"), frame.select("number", "name")):
        assert_frame_equal(frame_from_bytes(frame_to_bytes(some)), some)


def test_what_is_alike_travels_once() -> None:
    frame = pl.DataFrame({"name": ["a long name that stands in every row"] * 5000, "row": range(5000)})
    assert len(frame_to_bytes(frame)) < len(frame_to_bytes(frame.select("row"))) + 1500


def test_further_columns_stand_beside_those_that_travel_on() -> None:
    frame = pl.DataFrame({"name": ["a", "b", "b"], "row": [1, 2, 3], "same": ["x"] * 3})
    more = pl.DataFrame({"unit": ["USD/MWh"] * 3, "zone": ["UTC", None, "UTC"]})
    wide = with_columns(with_columns(frame_to_bytes(frame), more), pl.DataFrame({"last": [None, None, 5]}))
    expected = frame.hstack(more).with_columns(last=pl.Series([None, None, 5]))
    assert_frame_equal(frame_from_bytes(wide), expected)


def test_columns_of_another_height_are_refused() -> None:
    with pytest.raises(DataProcessingError, match="1 rows beside 2"):
        with_columns(frame_to_bytes(pl.DataFrame({"row": [1, 2]})), pl.DataFrame({"unit": ["MWh"]}))


@pytest.mark.parametrize("blob", [b"nonsense", msgspec.msgpack.encode([1, [[["a"], b"x", b"y"]]])])
def test_other_bytes_are_refused(blob: bytes) -> None:
    with pytest.raises(DataProcessingError, match="no frame"):
        frame_from_bytes(blob)
