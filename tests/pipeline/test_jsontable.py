"""Lists of JSON documents as text columns: digits as written, and every element a row or a refusal."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import jsontable
from pipeline.errors import DataProcessingError

CELLS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8))


def test_cells_keep_the_digits_of_the_document() -> None:
    content = b'\xef\xbb\xbf {"items": [{"p": 1.50, "n": "a\\u00e9\\"b"}, {"p": -.0e0}]}'.replace(b"-.0e0", b"-1e2")
    table = jsontable.objects(content, ["items"], ["p", "n"])
    assert table.cells.rows() == [("1.50", 'aé"b', 1), ("-1e2", None, 2)]
    assert (table.broken.height, table.rows) == (0, 2)


def test_an_element_of_another_shape_refuses_itself_alone() -> None:
    content = b'[{"p": 1}, 7, {"p": [2,\n3]}, {"p": {"q": 1}}, {"p": 4}]'
    table = jsontable.objects(content, [], ["p"])
    assert table.cells.rows() == [("1", 1), ("4", 5)]
    assert table.broken.select("row", "field", "value").rows() == [
        (2, "record", "7"),
        (3, "p", "[2, 3]"),
        (4, "p", '{"q": 1}'),
    ]
    assert table.rows == 5


def test_lists_are_read_by_place() -> None:
    content = b'{"data": [["x", 1.0, true], ["y", 2], ["z", 3.10, null]]}'
    table = jsontable.arrays(content, ["data"], ["name", "price", "flag"], ["flag", "price"])
    assert table.cells.rows() == [("true", "1.0", 1), (None, "3.10", 3)]
    assert table.broken["row"].to_list() == [2]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"items": [{"p": 1}, {"p"', "truncated"),
        (b'{"items": [{"p": 1}, {"p": oops}]}', "no JSON"),
        (b'{"rows": []}', "items is absent"),
        (b'{"items": {"p": 1}}', "items is no list"),
        (b'{"items": null}', "items is no list"),
        (b'["items"]', "items is absent"),
        (b"[" * 100_000, "items is absent"),
    ],
)
def test_what_holds_no_list_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(DataProcessingError, match=told):
        jsontable.objects(content, ["items"], ["p"])


def test_a_field_that_stands_twice_is_refused() -> None:
    with pytest.raises(DataProcessingError, match="expected once"):
        jsontable.arrays(b"[[1, 2]]", [], ["p", "p"], ["p"])


def test_a_part_and_the_keys_of_the_first_element() -> None:
    content = b'{"a": {"b": 1.10, "c": [{"x": 1, "y": 2}]}}'
    assert jsontable.part(content, ["a", "b"]) == Decimal("1.10")
    assert jsontable.part(content, ["a", "z"]) is None
    assert jsontable.keys(content, ["a", "c"]) == ["x", "y"]
    assert jsontable.keys(content, ["a", "b"]) == []


@given(st.lists(st.dictionaries(st.sampled_from(["p", "q", "r"]), CELLS, max_size=3), max_size=6))
def test_what_was_written_is_read_back(records: list[dict[str, object]]) -> None:
    table = jsontable.objects(json.dumps(records).encode(), [], ["p", "q"])
    expected = [tuple(_shown(record.get(name)) for name in ("p", "q")) for record in records]
    assert table.cells.select("p", "q").rows() == expected


@given(st.binary(max_size=60))
def test_bytes_are_rows_or_a_refusal(content: bytes) -> None:
    try:
        table = jsontable.objects(b'[{"p":' + content, [], ["p"])
    except DataProcessingError:
        return
    assert table.cells.height + table.broken.height == table.rows


def _shown(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value if value is None else value.encode(errors="replace").decode()
    return json.dumps(value)
