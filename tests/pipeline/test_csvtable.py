"""Whichever reader takes a document, its rows are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import csvplain, csvtable

_cell = st.sampled_from(["", "a", "1.50", "-.5", " x", "é", "a b", "\x01", "\r", '"q"', '""', '"', '"a,b"', '"a"b'])
_row = st.lists(_cell, min_size=1, max_size=5).map(",".join)
documents = st.lists(_row, min_size=1, max_size=12)


@given(documents, st.booleans(), st.booleans())
def test_the_fast_reader_takes_a_document_as_the_careful_one_does(rows: list[str], ended: bool, crlf: bool) -> None:
    end = "\r\n" if crlf else "\n"
    content = end.join(["A,B,C", *rows]) + (end if ended else "")
    source = csvtable.lines(content.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csvplain, "cells", _nothing)
        careful = csvtable.table(source, ["C", "A"])
    found = csvtable.table(source, ["C", "A"])
    assert found.rows == careful.rows
    assert found.cells.sort("row").equals(careful.cells.sort("row"))
    assert found.broken.equals(careful.broken)


def _nothing(*_: object) -> None:
    return None


def test_a_plain_document_is_read_by_the_fast_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvtable, "_mixed", None)
    found = csvtable.table(csvtable.lines(b"A,B\n1,\n,2\n"), ["B", "A"])
    assert found.cells.rows() == [("", "1", 1), ("2", "", 2)]
    assert (found.rows, found.broken.height) == (2, 0)


@pytest.mark.parametrize("content", [b"A,B\r\n1,2\r\n", b'A,B\r\n"1","2"\r\n', b"\r\nA,B\r\n1,2"])
def test_line_ends_of_two_bytes_are_read_by_the_fast_reader(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvtable, "_mixed", None)
    assert csvtable.table(csvtable.lines(content), ["A", "B"]).cells.rows() == [("1", "2", 1)]
