from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipeline.errors import DataProcessingError
from pipeline.schema import TICKS, conform, empty
from workers.codec import Messages, frame_from_bytes, frame_to_bytes, pack, unpack

_BYTES = st.none() | st.binary(max_size=40)
_MESSAGE = st.tuples(
    st.integers(0, 2**63 - 1), st.integers(-1, 2**62), _BYTES, _BYTES,
    st.lists(st.tuples(st.text(max_size=5), _BYTES), max_size=2),
)  # fmt: skip


@given(st.lists(_MESSAGE, max_size=20))
def test_messages_come_back_to_the_last_byte(
    rows: list[tuple[int, int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]],
) -> None:
    messages = Messages(
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[1] + 1 for row in rows],
        [row[2] for row in rows],
        {at: row[4] for at, row in enumerate(rows) if row[4]},
        [row[3] for row in rows],
    )
    assert unpack(pack(messages)) == messages


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


def test_other_bytes_are_refused() -> None:
    with pytest.raises(DataProcessingError, match="no packed messages"):
        unpack(b"\x01nonsense")
    with pytest.raises(DataProcessingError, match="no frame"):
        frame_from_bytes(b"nonsense")
