"""How the reading commands write rows, and where they find the API."""

import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtick.cli import connection, output
from gridtick.cli.output import Format
from pipeline.errors import DataProcessingError

ROWS: list[dict[str, Any]] = [
    {"instrument": 'A,"b', "start": "2026-07-01T00:00:00Z", "open": Decimal("-1.500000000"), "count": 3,
     "flags": ["VALID", "LATE_ARRIVAL"], "is_final": True, "twap": None},
    {"instrument": "B", "start": "2026-07-01T01:00:00.5Z", "open": Decimal("120.123456789"), "count": 1,
     "flags": [], "is_final": False, "twap": Decimal("1E+2")},
]  # fmt: skip
KEY = "gt_live_abcdefghijkl_S3cretS3cretS3cretS3cretS3cret12_0a1b2c3d"


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


Piped = Callable[[Iterable[dict[str, Any]], Format | None], bytes]


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Piped:
    """What is written to a pipe."""

    def written(rows: Iterable[dict[str, Any]], wanted: Format | None) -> bytes:
        pipe = Pipe()
        monkeypatch.setattr(sys, "stdout", pipe)
        output.write(rows, wanted, ())
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


def test_no_rows_are_an_empty_list(piped: Piped) -> None:
    assert piped([], Format.json) == b"[]\n"


def test_csv_is_quoted_and_plain(piped: Piped) -> None:
    assert piped(ROWS, Format.csv).decode().splitlines() == [
        "instrument,start,open,count,flags,is_final,twap",
        '"A,""b",2026-07-01T00:00:00Z,-1.5,3,VALID|LATE_ARRIVAL,true,',
        "B,2026-07-01T01:00:00.5Z,120.123456789,1,,false,100",
    ]


def test_parquet_has_decimals_and_instants(piped: Piped) -> None:
    frame = pl.read_parquet(io.BytesIO(piped(ROWS, Format.parquet)))
    assert frame["open"].to_list() == [Decimal("-1.5"), Decimal("120.123456789")]
    assert frame.schema["start"] == pl.Datetime("us", "UTC")
    assert frame["start"].dt.epoch("ms").to_list()[1] % 1000 == 500


def test_parquet_is_not_thrown_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Pipe(terminal=True))
    with pytest.raises(DataProcessingError, match="to a file"):
        output.write(ROWS, Format.parquet, ())


def test_a_terminal_gets_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Pipe(terminal=True)
    monkeypatch.setattr(sys, "stdout", terminal)
    output.write(ROWS, None, ("instrument", "open"))
    text = terminal.written().decode()
    assert "120.123456789" in text
    assert "LATE_ARRIVAL" not in text


def test_the_environment_leads_over_a_running_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRIDTICK_URL", "http://elsewhere")
    monkeypatch.setenv("GRIDTICK_API_KEY", KEY)
    with connection.connected(tmp_path) as client:
        assert client.url == "http://elsewhere"


def test_without_stack_and_environment_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GRIDTICK_URL", raising=False)
    monkeypatch.delenv("GRIDTICK_API_KEY", raising=False)
    with pytest.raises(DataProcessingError, match="gridtick up"), connection.connected(tmp_path):
        pass


def test_a_refusal_becomes_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from gridtick.client import NotFound

    monkeypatch.setenv("GRIDTICK_URL", "http://elsewhere")
    monkeypatch.setenv("GRIDTICK_API_KEY", KEY)

    def rows() -> Iterator[dict[str, Any]]:
        raise NotFound(404, {"detail": "there is no 'X'", "request_id": "r-9"})
        yield {}

    with (
        pytest.raises(DataProcessingError, match=r"there is no 'X' \(request r-9\)"),
        connection.connected(tmp_path),
    ):
        output.write(rows(), Format.ndjson, ())
