"""Lists cut at their commas: the usual ones are, and whatever is cut reads as any reader of JSON has it."""

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import jsonflat

KEYS = ("p", "q", "a b")
PIECES = ["x", "é", ",", '"', '", "', "}", "},{", "]", "],[", ":", "{", "[", "null", "1", " ", '"p":', '},{"p":', "\\"]
TRICKY = st.lists(st.sampled_from(PIECES), max_size=3).map("".join)
ALIKE = (["x", "éé", "", "a b", None], [1, -2.5, 1e30, None], [True, False, 7], ["1", "null", ""])
COLUMNS = st.one_of(*(st.just(st.sampled_from(cells)) for cells in ALIKE), st.just(st.one_of(TRICKY, st.integers())))
ROWS = st.tuples(*(COLUMNS for _ in KEYS)).flatmap(lambda each: st.lists(st.tuples(*each), min_size=1, max_size=6))
SEPARATORS = st.sampled_from(list(product([",", ", ", " ,", ",\n\t"], [":", ": ", " :"])))


@given(ROWS, SEPARATORS, st.booleans())
def test_what_is_cut_is_what_was_written(
    rows: list[tuple[object, ...]], separators: tuple[str, str], escaped: bool
) -> None:
    records = [dict(zip(KEYS, row, strict=True)) for row in rows]
    expected = [(_shown(row[2]), None, _shown(row[0]), at) for at, row in enumerate(rows, 1)]
    written = json.dumps(records, ensure_ascii=escaped, separators=separators).encode()
    cut = jsonflat.objects(written, [KEYS[2], "absent", KEYS[0]])
    assert cut is None or cut.rows() == expected
    written = json.dumps(rows, ensure_ascii=escaped, separators=separators).encode()
    cut = jsonflat.arrays(written, len(KEYS), {"third": 2, "first": 0})
    assert cut is None or cut.rows() == [(third, first, at) for third, _, first, at in expected]


@pytest.mark.parametrize("between", [",", ", ", ",\n  "])
@pytest.mark.parametrize("colon", [":", ": "])
def test_lists_as_exchanges_write_them_are_cut(between: str, colon: str) -> None:
    rows = [["é", -1.50, True, None], ["", 2, False, "x"], [None, None, None, None]] * 1_000
    records = [dict(zip("abcd", row, strict=True)) for row in rows]
    cut = jsonflat.objects(json.dumps(records, ensure_ascii=False, separators=(between, colon)).encode(), ["b", "a"])
    assert cut is not None
    assert cut.rows()[:3] == [("-1.5", "é", 1), ("2", "", 2), (None, None, 3)]
    cut = jsonflat.arrays(json.dumps(rows, separators=(between, colon)).replace("\\u00e9", "é").encode(), 4, {"d": 3})
    assert cut is not None
    assert cut.rows()[-2:] == [("x", 2_999), (None, 3_000)]


@pytest.mark.parametrize(
    "content",
    [
        '[{"a": 1}, {"a": [1]}]',
        '[{"a": {"b": 1}}]',
        '[{"a": 1, "b": {"z": 1, "b": 2, "y": 3}}, {"a": 1, "b": 2, "y": 3, "z": 4}]',
        '[{"a": 1, "b": {"z": 1}}, {"a": 1, "b": 2}]',
        '[{"a": 1}, {"a": "1,2"}]',
        '[{"a": "x"}, {"a": "}"}]',
        '[{"a": 1, "b": 2}, {"b": 2, "a": 1}]',
        '[{"a": 1, "b": 2}, {"a": 1}]',
        '[{"a": 1}, {"a": 1, "b": 2}]',
        '[{"a": 1, "a": 2}]',
        '[{"a": 1}, {"a":  2}]',
        '[{"a": 1}, {}]',
        '[{"a": 1}, 7]',
        '[{"a": 1}, "}"]',
        '[{"a": "x"}, {"a": 1}]',
        '[{"a": "\\u00e9"}]',
        "[{}]",
        "[]",
        "7",
    ],
)
def test_what_is_not_alike_is_left_to_others(content: str) -> None:
    json.loads(content)
    assert jsonflat.objects(content.encode(), ["a", "b"]) is None


@pytest.mark.parametrize(
    "content",
    [
        '[["x", "y"], ["a,b"]]',
        '[["x", "y"], [",x", "y"]]',
        '[["x", 1], ["y", "],["], ["z", 2]]',
        '[["x", 1], ["y"]]',
        '[["x", 1], ["y", [2]]]',
        '[["x", 1], ["y", 2, 3]]',
        '[["x", 1], ["y", 2 ]]',
        '[["x", 1], []]',
        '[["x", 1], null]',
        "[[1]]",
    ],
)
def test_the_same_of_lists(content: str) -> None:
    json.loads(content)
    assert jsonflat.arrays(content.encode(), 2, {"first": 0, "second": 1}) is None


def _shown(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
