"""Ticks and bars as Parquet and CSV: the same as row by row, written while they come."""

import errno
import io
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import httpx
import polars as pl
import pyarrow.parquet as pq
import pytest
import typer

from api import render
from api.formats.writers import writer
from gridtick.cli import columnar, output
from gridtick.cli.columns import RowType
from gridtick.cli.output import Format
from gridtick.client import Bar, Client, GridtickError, Table, Tick
from pipeline.shown import AMOUNTS

KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"
START = datetime(2026, 7, 1, tzinfo=UTC)
INSTANT = pl.Datetime("us", "UTC")


@cache
def _bars(count: int) -> pl.DataFrame:
    """As the API has them: the first one odd in every column."""
    price, number = pl.Decimal(18, 9), pl.int_range(count, eager=True)
    start = pl.Series([START + timedelta(microseconds=500_000)]).cast(INSTANT).extend_constant(START, count - 1)
    return pl.DataFrame({
        "instrument": pl.Series(['A,"b']).extend_constant("B", count - 1), "interval": ["1h"] * count,
        "start": start, "start_local": ["2026-06-30T19:00:00-05:00"] * count, "end": start + timedelta(hours=1),
        "end_local": ["2026-06-30T20:00:00-05:00"] * count,
        **{name: (number * 10 + Decimal("-1.5")).cast(price) for name in ("open", "high", "low", "close")},
        "volume": (number.cast(pl.Decimal(38, 9)) + Decimal("12345678901234567890.5")).cast(pl.Decimal(38, 9)),
        "vwap": pl.Series([None] * count, dtype=price), "twap": (number / 8).cast(price),
        "covered_seconds": pl.Series([3600] * count).cast(price), "count": number,
        "flags": pl.Series([["VALID", "LATE_ARRIVAL"]] + [[]] * (count - 1), dtype=pl.List(pl.String)),
        "is_final": [True] + [False] * (count - 1), "revision": number, "tenant": ["public"] * count,
        "updated_at": pl.Series([None] * count, dtype=INSTANT), "filled": ["none"] * count,
    })  # fmt: skip


class Api:
    """Gives a frame as JSON, or as Arrow in batches of so many rows; `breaks`: without an end."""

    def __init__(self, frame: pl.DataFrame, rows: int = 4_000, *, breaks: bool = False) -> None:
        self.sent = 0  # batches
        self._frame = frame
        self._rows = rows
        self._breaks = breaks

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.params.get("format") != "arrow":
            return httpx.Response(200, content=f'{{"data":[{render.rows(self._frame)}],"next":null}}'.encode())
        return httpx.Response(200, content=self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        made = writer("arrow", decimals_as_text=False)
        yield made.write(self._frame.head(0))
        for piece in self._frame.iter_slices(self._rows):
            self.sent += 1
            yield made.write(piece)
        if self._breaks:
            raise httpx.RemoteProtocolError("incomplete chunked read")
        yield made.finish()

    def bars(self) -> Table[Bar]:
        client = Client("http://api.test", KEY, transport=httpx.MockTransport(self))
        return client.bars("A", interval="1h")


class Pipe(io.RawIOBase):
    """Takes bytes, up to so many; tells how far the API was when the first ones came."""

    def __init__(self, api: Api, most: int | None = None, number: int = errno.ENOSPC) -> None:
        super().__init__()
        self.text = bytearray()
        self.first: int | None = None
        self._api, self._most, self._number = api, most, number

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self._most is not None and len(self.text) + len(data) > self._most:
            raise OSError(self._number, os.strerror(self._number))
        self.first = self._api.sent if self.first is None and len(data) > 1000 else self.first
        self.text += data
        return len(data)


def _written(
    monkeypatch: pytest.MonkeyPatch, rows: Any, wanted: Format, to: Pipe, kind: RowType = Bar, also: Any = ()
) -> bytes:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(to), encoding="utf-8"))
    output.write(rows, wanted, kind, (), also)
    return bytes(to.text)


@pytest.mark.parametrize("wanted", columnar.WRITERS)
@pytest.mark.parametrize("also", [(), ("start_local", "end_local", "filled")])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_it_is_what_row_by_row_gives(
    monkeypatch: pytest.MonkeyPatch, wanted: Format, also: tuple[str, ...], count: int
) -> None:
    api = Api(_bars(8).head(count), rows=3)
    table = _written(monkeypatch, api.bars(), wanted, Pipe(api), Bar, also)
    rows = _written(monkeypatch, iter(list(api.bars())), wanted, Pipe(api), Bar, also)
    if wanted is Format.csv:
        assert table == rows
    else:
        one, other = (pl.read_parquet(io.BytesIO(each)) for each in (table, rows))
        assert one.schema == other.schema
        assert one.equals(other)
    assert api.sent == -(-count // 3)


def test_ticks_keep_their_types(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame([dict.fromkeys(Tick.__annotations__, "x")]).with_columns(
        *(pl.lit("1.5").cast(pl.Decimal(18, 9)).alias(name) for name in AMOUNTS),
        *(pl.lit(START).cast(INSTANT).alias(name) for name in ("interval_start", "interval_end", "known_at")),
        flags=pl.lit(["VALID"]), version=pl.lit(3, pl.UInt64), revision=pl.lit(0, pl.Int32), location=pl.lit(None),
    )  # fmt: skip
    api = Api(frame)
    client = Client("http://api.test", KEY, transport=httpx.MockTransport(api))
    table = _written(monkeypatch, client.ticks("A"), Format.parquet, Pipe(api), Tick)
    rows = _written(monkeypatch, iter(list(client.ticks("A"))), Format.parquet, Pipe(api), Tick)
    one, other = (pl.read_parquet(io.BytesIO(each)) for each in (table, rows))
    assert (one.schema, one.rows()) == (other.schema, other.rows())


@pytest.mark.parametrize("wanted", columnar.WRITERS)
def test_rows_are_written_while_they_come(monkeypatch: pytest.MonkeyPatch, wanted: Format) -> None:
    monkeypatch.setattr(columnar, "_GROUP", 10_000)
    api = Api(_bars(25_000))
    pipe = Pipe(api)
    text = _written(monkeypatch, api.bars(), wanted, pipe)
    assert pipe.first is not None
    assert pipe.first < api.sent == 7
    if wanted is Format.parquet:
        groups = pq.ParquetFile(io.BytesIO(text)).metadata
        assert [groups.row_group(n).num_rows for n in range(groups.num_row_groups)] == [12_000, 12_000, 1_000]


@pytest.mark.parametrize("wanted", columnar.WRITERS)
def test_no_rows_are_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wanted: Format) -> None:
    api = Api(_bars(1).head(0))
    _written(monkeypatch, api.bars(), wanted, Pipe(api))
    assert capsys.readouterr().err == "No rows.\n"


def test_what_breaks_off_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar, "_GROUP", 10_000)
    api = Api(_bars(25_000), breaks=True)
    pipe = Pipe(api)
    with pytest.raises(GridtickError, match="ended its answer"):
        _written(monkeypatch, api.bars(), Format.parquet, pipe)
    sys.stdout.flush()  # as the end of a program does
    assert len(pipe.text) > 1000
    with pytest.raises(pl.exceptions.ComputeError):
        pl.read_parquet(io.BytesIO(pipe.text))


@pytest.mark.parametrize("wanted", columnar.WRITERS)
@pytest.mark.parametrize(("number", "status"), [(errno.ENOSPC, 1), (errno.EPIPE, 0)])
def test_a_full_disk_is_a_sentence_and_a_reader_may_go(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wanted: Format, number: int, status: int
) -> None:
    monkeypatch.setattr(columnar, "_GROUP", 4_000)
    api = Api(_bars(25_000))
    with pytest.raises(typer.Exit) as ended:
        _written(monkeypatch, api.bars(), wanted, Pipe(api, 5_000, number))
    said = capsys.readouterr().err
    assert (ended.value.exit_code, said.count("\n")) == (status, status)
    assert api.sent < 7


def test_json_is_still_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(_bars(2))
    text = _written(monkeypatch, api.bars(), Format.ndjson, Pipe(api))
    assert [json.loads(line)["revision"] for line in text.splitlines()] == [0, 1]
    assert api.sent == 0
