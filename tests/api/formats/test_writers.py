"""What every format holds is what JSON holds, to the last digit."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import render
from api.formats.media import FormatName
from api.formats.writers import whole, writer
from tests.api.formats.frames import COLUMNS, ODD, frames

_NUMBERS: Final = {"price", "volume"}


def _json(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return json.loads(f"[{render.rows(frame)}]", parse_float=Decimal)


def _of_ndjson(held: bytes) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in held.split(b"\n")[:-1]]


def _of_csv(held: bytes) -> list[dict[str, Any]]:
    """Read by the standard library, which does not tell an absent text from an empty one; nor does the comparison."""
    lines = list(csv.DictReader(io.StringIO(held.decode(), newline="")))
    return [{name: _cell(name, text) for name, text in line.items()} for line in lines]


def _cell(name: str, text: str) -> Any:
    if name == "flags":
        return text.split("|") if text else []
    if name == "instrument":
        return text.removeprefix("'")
    if text == "":
        return None
    return json.loads(text, parse_float=Decimal) if name != "interval_start" else text


def _of_columns(read: Callable[[io.BytesIO], pl.DataFrame]) -> Callable[[bytes], list[dict[str, Any]]]:
    return lambda held: _json(read(io.BytesIO(held)))


_READERS: Final[Mapping[FormatName, Callable[[bytes], list[dict[str, Any]]]]] = {
    "ndjson": _of_ndjson, "csv": _of_csv, "parquet": _of_columns(pl.read_parquet),
    "arrow": _of_columns(pl.read_ipc_stream),
}  # fmt: skip


@pytest.mark.parametrize("name", list(_READERS))
@given(frames)
def test_every_format_holds_what_json_holds(name: FormatName, frame: pl.DataFrame) -> None:
    expected = _json(frame)
    if name == "csv":
        expected = [row | {"instrument": row["instrument"] or ""} for row in expected]
    assert _READERS[name](whole(name, frame, decimals_as_text=False)) == expected


@pytest.mark.parametrize("name", list(_READERS))
@given(st.lists(frames, min_size=1, max_size=3))
def test_frames_that_come_one_by_one_are_one_list(name: FormatName, parts: list[pl.DataFrame]) -> None:
    made = writer(name, decimals_as_text=False)
    held = b"".join([*(made.write(part) for part in parts), made.finish()])
    assert _READERS[name](held) == _READERS[name](whole(name, pl.concat(parts), decimals_as_text=False))


def test_absent_and_empty_texts_of_csv_differ() -> None:
    frame = pl.DataFrame({"instrument": [None, ""], "n": [1, 2]})
    assert whole("csv", frame, decimals_as_text=False) == b'instrument,n\r\n,1\r\n"",2\r\n'


def test_csv_is_of_rfc_4180() -> None:
    frame = pl.DataFrame({"instrument": ['a"b', "c,d", "e\nf"], "price": [Decimal("1.500000000"), None, Decimal("-2")]})
    held = whole("csv", frame.cast({"price": COLUMNS["price"]}), decimals_as_text=False)
    assert held == b'instrument,price\r\n"a""b",1.5\r\n"c,d",\r\n"e\nf",-2\r\n'


@pytest.mark.parametrize("text", [*ODD, "=cmd|' /C calc'!A0", "-1+cmd|' /C calc'!A0", "\n=1", "+5", "5"])
def test_no_cell_of_csv_is_a_formula(text: str) -> None:
    held = whole("csv", pl.DataFrame({"instrument": [text], "n": [1]}), decimals_as_text=False)
    [_, [cell, _]] = list(csv.reader(io.StringIO(held.decode(), newline="")))
    number = text.lstrip("+-").replace(".", "", 1).isascii() and text.lstrip("+-").replace(".", "", 1).isdigit()
    assert number or cell[:1] not in {*"=+-@\t\r\n＝"}
    assert cell.removeprefix("'") == text or cell == text


def test_flags_of_csv_are_joined_and_names_of_theirs_harmless() -> None:
    frame = pl.DataFrame({"flags": [["VALID", "ADVISORY"], [], ["=1", "x"]]})
    assert whole("csv", frame, decimals_as_text=False).split(b"\r\n")[1:-1] == [b"VALID|ADVISORY", b'""', b"'=1|x"]


def test_price_type_decimal_is_text_in_ndjson() -> None:
    frame = pl.DataFrame({"price": [Decimal("1.500000000")]}, schema={"price": COLUMNS["price"]})
    assert whole("ndjson", frame, decimals_as_text=True) == b'{"price":"1.5"}\n'


def test_columns_have_the_types_that_are_promised() -> None:
    empty = pl.DataFrame(schema=dict(COLUMNS))
    parquet = pq.ParquetFile(io.BytesIO(whole("parquet", empty, decimals_as_text=False))).schema_arrow
    with pa.ipc.open_stream(whole("arrow", empty, decimals_as_text=False)) as stream:
        arrow = stream.schema
    for schema in (parquet, arrow):
        found = {field.name: field.type for field in schema}
        assert found["price"] == pa.decimal128(18, 9)
        assert found["volume"] == pa.decimal128(38, 9)
        assert found["interval_start"] == pa.timestamp("us", "UTC")
        assert pa.types.is_large_list(found["flags"]) or pa.types.is_list(found["flags"])


def test_parquet_that_is_cut_off_cannot_be_read() -> None:
    frame = pl.DataFrame({"price": [Decimal(n) for n in range(100)]})
    with pytest.raises(pa.ArrowInvalid):
        pq.read_table(io.BytesIO(writer("parquet", decimals_as_text=False).write(frame)))


def test_an_instant_of_csv_is_that_of_json() -> None:
    frame = pl.DataFrame({"at": [datetime(2026, 7, 1, microsecond=120, tzinfo=UTC)]}).cast(
        {"at": COLUMNS["interval_start"]}
    )
    assert whole("csv", frame, decimals_as_text=False) == b"at\r\n2026-07-01T00:00:00.00012Z\r\n"
