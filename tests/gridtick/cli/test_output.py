"""How the reading commands write rows."""

import csv
import errno
import io
import json
import os
import sys
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Protocol, get_type_hints

import polars as pl
import pytest
import typer

from api.shapes import BAR_FIELDS
from gridtick.cli import output
from gridtick.cli.columns import RowType, columns_of
from gridtick.cli.curve import Point
from gridtick.cli.output import Format
from gridtick.client import Bar, LatestPrice, Tick
from pipeline import shown
from pipeline.errors import DataProcessingError

BAR: dict[str, Any] = {
    "instrument": 'A,"b', "interval": "1h", "start": "2026-07-01T00:00:00Z", "end": "2026-07-01T01:00:00Z",
    "open": Decimal("-1.500000000"), "high": Decimal(2), "low": Decimal(-2), "close": Decimal(1), "volume": None,
    "vwap": None, "twap": None, "covered_seconds": None, "count": 3, "flags": ["VALID", "LATE_ARRIVAL"],
    "is_final": True, "revision": 0, "updated_at": "2026-07-01T01:00:05Z", "tenant": "public",
}  # fmt: skip
ROWS: list[dict[str, Any]] = [
    BAR,
    {**BAR, "instrument": "B", "start": "2026-07-01T01:00:00.5Z", "open": Decimal("120.123456789"), "count": 1,
     "flags": [], "is_final": False, "twap": Decimal("1E+2"), "volume": Decimal("12345678901234567890.5")},
]  # fmt: skip
TICK: dict[str, Any] = {
    **dict.fromkeys(get_type_hints(Tick)), "instrument": "NG_HH_BALMO", "market": "henry_hub", "product": "tick",
    "interval_start": "2026-07-01T00:00:00Z", "price": Decimal("3.1"), "flags": ["VALID"], "version": 0, "revision": 0,
    "known_at": "2026-07-01T00:00:01Z", "tenant": "public",
}  # fmt: skip


class Pipe(io.TextIOWrapper):
    """Standard output that is no terminal, unless told so."""

    def __init__(self, *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def written(self) -> bytes:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue()


class Piped(Protocol):
    """What is written to a pipe."""

    def __call__(self, rows: Iterable[dict[str, Any]], wanted: Format | None, kind: RowType = Bar) -> bytes: ...


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Piped:
    """What is written to a pipe."""

    def written(rows: Iterable[dict[str, Any]], wanted: Format | None, kind: RowType = Bar) -> bytes:
        pipe = Pipe()
        monkeypatch.setattr(sys, "stdout", pipe)
        output.write(rows, wanted, kind, ())
        return pipe.written()

    return written


@pytest.mark.parametrize("wanted", [Format.ndjson, Format.json, None])
def test_json_keeps_every_digit(piped: Piped, wanted: Format | None) -> None:
    text = piped(ROWS, wanted).decode()
    read = json.loads(text, parse_float=Decimal) if wanted is Format.json else [
        json.loads(line, parse_float=Decimal) for line in text.splitlines()
    ]  # fmt: skip
    assert read == ROWS
    assert '"open":120.123456789' in text
    assert '"open":-1.5,' in text


@pytest.mark.parametrize(
    ("wanted", "written"),
    [(Format.json, b"[]\n"), (Format.ndjson, b""), (Format.table, b""), (Format.csv, ",".join(BAR).encode() + b"\n")],
)
def test_no_rows_are_said_beside_an_empty_answer(
    piped: Piped, capsys: pytest.CaptureFixture[str], wanted: Format, written: bytes
) -> None:
    assert piped([], wanted) == written
    assert capsys.readouterr().err == "No rows.\n"


def test_csv_is_quoted_and_plain(piped: Piped) -> None:
    lines = list(csv.DictReader(io.StringIO(piped(ROWS, Format.csv).decode())))
    assert list(lines[0]) == list(BAR)
    names = ("instrument", "start", "open", "count", "flags", "is_final", "twap")
    assert [[line[name] for name in names] for line in lines] == [
        ['A,"b', "2026-07-01T00:00:00Z", "-1.5", "3", "VALID|LATE_ARRIVAL", "true", ""],
        ["B", "2026-07-01T01:00:00.5Z", "120.123456789", "1", "", "false", "100"],
    ]


def test_parquet_has_decimals_and_instants(piped: Piped) -> None:
    frame = pl.read_parquet(io.BytesIO(piped(ROWS, Format.parquet)))
    assert frame["open"].to_list() == [Decimal("-1.5"), Decimal("120.123456789")]
    assert frame["volume"].to_list() == [None, Decimal("12345678901234567890.5")]
    assert frame["flags"].to_list() == [["VALID", "LATE_ARRIVAL"], []]
    assert frame.schema["start"] == pl.Datetime("us", "UTC")
    assert frame["start"].dt.epoch("ms").to_list()[1] % 1000 == 500


def test_parquet_has_one_shape_whatever_is_null_or_absent(piped: Piped) -> None:
    """Of many rows the first hundreds may lack what the last one has."""
    rows = [*[TICK] * 500, {**TICK, "interval_end": "2026-07-01T01:00:00Z", "location": "x", "bid": Decimal("3.05")}]
    full, none = (pl.read_parquet(io.BytesIO(piped(given, Format.parquet, Tick))) for given in (rows, []))
    assert full["interval_end"].null_count() == 500
    assert full.schema == none.schema
    assert full.schema["bid"] == pl.Decimal(18, 9)
    assert none.height == 0


def test_an_age_of_decades_has_its_digits(piped: Piped) -> None:
    row = {
        **TICK,
        "mode": "newest",
        "age_seconds": Decimal("1234567890.123"),
        "cadence_seconds": None,
        "status": "live",
    }
    frame = pl.read_parquet(io.BytesIO(piped([row], Format.parquet, LatestPrice)))
    assert frame["age_seconds"].to_list() == [Decimal("1234567890.123")]


def test_the_columns_are_those_that_the_api_answers() -> None:
    assert tuple(columns_of(Tick)) == shown.FIELDS
    assert tuple(columns_of(Bar)) == BAR_FIELDS
    assert tuple(columns_of(LatestPrice))[: len(shown.FIELDS)] == shown.FIELDS


def test_parquet_is_not_thrown_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Pipe(terminal=True))
    with pytest.raises(DataProcessingError, match="to a file"):
        output.write(ROWS, Format.parquet, Bar, ())


def test_a_terminal_gets_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _on_a_terminal(monkeypatch, ROWS, ("instrument", "open"))
    assert "120.123456789" in text
    assert "LATE_ARRIVAL" not in text


@pytest.mark.parametrize("name", ["X[/b]", "Y[red]HUB[1]", ":smile:"])
def test_a_name_that_looks_like_markup_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert name in _on_a_terminal(monkeypatch, [{**BAR, "instrument": name}], ("instrument",))


def _on_a_terminal(monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    terminal = Pipe(terminal=True)
    monkeypatch.setattr(sys, "stdout", terminal)
    output.write(rows, None, Bar, columns)
    return terminal.written().decode()


class Full(io.RawIOBase):
    """A place that takes nothing."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        raise OSError(self._number, os.strerror(self._number))


@pytest.mark.parametrize("wanted", list(Format))
def test_a_full_disk_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wanted: Format
) -> None:
    status = _status_at(monkeypatch, Full(errno.ENOSPC), wanted)
    said = capsys.readouterr().err
    assert (status, said.count("\n")) == (1, 1)
    assert said.startswith("gridtick: Standard output cannot be written: No space left on device.")


@pytest.mark.parametrize("wanted", [Format.ndjson, Format.csv, Format.parquet])
def test_a_reader_that_goes_away_ends_it_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wanted: Format
) -> None:
    assert _status_at(monkeypatch, Full(errno.EPIPE), wanted) == 0
    assert capsys.readouterr().err == ""


def _status_at(monkeypatch: pytest.MonkeyPatch, raw: Full, wanted: Format) -> int:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8"))
    with pytest.raises(typer.Exit) as ended:
        output.write(ROWS, wanted, Bar, ("instrument",))
    return ended.value.exit_code


def test_a_closed_standard_output_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(typer.Exit) as ended:
        output.write(ROWS, None, Bar, ())
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err.startswith("gridtick: Standard output is closed.")


def test_points_of_curves_keep_their_decimals_in_parquet(piped: Piped) -> None:
    row = {"curve": "c", "price": Decimal("3.083428571429"), "against": None, "flags": [], "inputs": ["NGJ21"]}
    frame = pl.read_parquet(io.BytesIO(piped([row], Format.parquet, Point)))
    assert frame["price"].to_list() == [Decimal("3.083428571429")]
