"""Whichever reader takes a document, its rows are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import csvtable

_cell = st.sampled_from(["", "a", "1.50", "-.5", " x", "é", "a b", "\x01", "\r"])
_row = st.lists(_cell, min_size=1, max_size=5).map(",".join)
documents = st.lists(_row, min_size=1, max_size=12)


@given(documents, st.booleans(), st.booleans())
def test_the_fast_reader_takes_a_document_as_the_careful_one_does(rows: list[str], ended: bool, crlf: bool) -> None:
    end = "\r\n" if crlf else "\n"
    content = end.join(["A,B,C", *rows]) + (end if ended else "")
    source = csvtable.lines(content.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csvtable, "_plain_throughout", _nothing)
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
