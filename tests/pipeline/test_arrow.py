import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from pipeline.arrow import from_stream, to_stream


@pytest.mark.parametrize("names", [["a", None, "a", "b", "a", "b"], ["a", "b", "c"], [None, None], []])
def test_text_comes_back_as_text(names: list[str | None]) -> None:
    frame = pl.DataFrame({"name": names, "row": range(len(names))}, schema_overrides={"name": pl.String()})
    assert_frame_equal(from_stream(to_stream(frame)), frame)


def test_only_text_that_repeats_becomes_codes() -> None:
    frame = pl.DataFrame({"node": ["NODE_1", "NODE_2"] * 500, "event": [f"event {row}" for row in range(1000)]})
    schema = pa.ipc.open_stream(to_stream(frame)).schema
    assert pa.types.is_dictionary(schema.field("node").type)
    assert not pa.types.is_dictionary(schema.field("event").type)


def test_other_bytes_are_refused() -> None:
    with pytest.raises(pl.exceptions.PolarsError):
        from_stream(b"nonsense")
