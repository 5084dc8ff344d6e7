"""Rows of PJM's feeds that cannot be read: each is refused with field and value, and nothing else escapes."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import markets
from pipeline.documents import PARSED, Document
from pipeline.errors import DataProcessingError
from tests.pipeline.markets.pjm_files import (
    FAST,
    FIVE,
    HOUR,
    NOON,
    RT,
    Cells,
    answer,
    every,
    export,
    fast,
    item,
    parse,
    problems,
    times,
    verified,
)

BAD: list[tuple[Cells, str, str]] = [
    ({"total_lmp_rt": "x"}, "total_lmp_rt", "x"), ({"total_lmp_rt": "1e30"}, "total_lmp_rt", "1e30"),
    ({"total_lmp_rt": "1.0000000001"}, "total_lmp_rt", "1.0000000001"),
    ({"system_energy_price_rt": "1..2"}, "system_energy_price_rt", "1..2"),
    ({"congestion_price_rt": "inf"}, "congestion_price_rt", "inf"),
    ({"marginal_loss_price_rt": "?", "total_lmp_rt": ""}, "marginal_loss_price_rt", "?"),
    ({"datetime_beginning_utc": "now"}, "datetime_beginning_utc", "now"),
    ({"datetime_beginning_utc": ""}, "datetime_beginning_utc", ""),
    ({"datetime_beginning_utc": "13/1/2024 4:00:00 PM"}, "datetime_beginning_utc", "13/1/2024 4:00:00 PM"),
    ({"datetime_beginning_utc": "6/1/2024 14:00:00 PM"}, "datetime_beginning_utc", "6/1/2024 14:00:00 PM"),
    (times(NOON + FIVE), "datetime_beginning_utc", "6/1/2024 4:05:00 PM"),
    (times(datetime(1989, 6, 1, tzinfo=UTC)), "datetime_beginning_utc", "6/1/1989 12:00:00 AM"),
    ({"datetime_beginning_ept": "6/1/2024 5:00:00 PM"}, "datetime_beginning_ept", "6/1/2024 5:00:00 PM"),
    ({"datetime_beginning_ept": "later"}, "datetime_beginning_ept", "later"),
    ({"pnode_id": ""}, "pnode_id", ""), ({"pnode_id": "-5"}, "pnode_id", "-5"), ({"pnode_id": "A"}, "pnode_id", "A"),
    ({"pnode_name": "A\x07"}, "pnode_name", "A\x07"), ({"type": "x" * 151}, "type", "x" * 151),
    ({"version_nbr": "two"}, "version_nbr", "two"), ({"version_nbr": "1.5"}, "version_nbr", "1.5"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "field", "value"), BAD)
def test_a_broken_row_is_refused_while_others_live(changes: Cells, field: str, value: str) -> None:
    rows = [verified(at) for at in every(HOUR, NOON, 4)]
    rows[1] |= changes
    read = parse(export(*rows), RT)
    assert problems(read) == [(2, field, value)]
    assert read.ticks["row"].to_list() == [1, 3, 4]
    assert field in read.rejects["reason"][0]
    assert read.rejects["line"].to_list() == [3]


def test_a_stamp_that_disagrees_names_both_columns() -> None:
    rows = [verified(at) for at in every(HOUR, NOON, 3)]
    rows[0]["datetime_beginning_ept"] = "6/1/2024 4:00:00 PM"
    (reason,) = parse(export(*rows), RT).rejects["reason"]
    both = "datetime_beginning_ept '6/1/2024 4:00:00 PM'", "datetime_beginning_utc '6/1/2024 4:00:00 PM'"
    assert reason == f"{both[0]} is not the Eastern time of {both[1]} beside it"


def test_a_derived_energy_that_cannot_be_held_is_refused() -> None:
    row = fast(total_lmp_rt="999999999", congestion_price_rt="-1")
    assert problems(parse(export(row, fast()), FAST)) == [(1, "total_lmp_rt", "999999999")]


@pytest.mark.parametrize("bad", ["7", '"x"', "[]", "null", "true"])
def test_an_element_that_is_no_record_is_refused_alone(bad: str) -> None:
    for items in (f"{bad}, {item(verified())}", f"{item(verified())}, {bad}"):
        read = parse(f'{{"items": [{items}]}}'.encode(), RT)
        assert (read.ticks.height, read.rejects["field"].to_list()) == (1, ["record"])


def test_a_cell_that_is_no_single_value_refuses_its_row() -> None:
    data = answer(verified(), verified(NOON + HOUR)).replace(b"30.250000", b"[30.25]", 1)
    read = parse(data)
    assert problems(read) == [(1, "total_lmp_rt", "[30.25]")]
    assert read.ticks["row"].to_list() == [2]


def test_a_last_row_that_is_cut_off_says_so() -> None:
    read = parse(export(verified(), verified(NOON + HOUR))[:-30], RT)
    assert read.ticks["row"].to_list() == [1]
    assert "truncated" in read.rejects["reason"][0]


# Whatever the bytes are


CSV = export(*(fast(at) for at in every(FIVE, NOON, 4)), fast(total_lmp_rt="-", pnode_id="1"))
JSON = answer(*(verified(at, version_nbr="2") for at in every(HOUR, NOON, 3)), verified(total_lmp_rt=""))
CHANGES = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6)


@given(st.sampled_from([CSV, JSON]), CHANGES, st.integers(0, 2_000), st.sampled_from([None, "rt_5min", "da_hourly"]))
def test_nothing_but_a_refusal_escapes(
    data: bytes, changes: list[tuple[int, int]], cut: int, product: str | None
) -> None:
    mutated = bytearray(data)
    for at, byte in changes:
        mutated[at % len(mutated)] = byte
    content = bytes(mutated[:cut]) if cut % 3 == 0 else bytes(mutated)
    try:
        read = markets.parse(Document(content, "-", "pjm", product))
    except DataProcessingError:
        return
    assert read.ticks.schema == pl.Schema(PARSED)
    rows = [*read.ticks["row"], *read.rejects["row"]]
    assert len(rows) == len({*rows})
    assert {*rows} <= {*range(1, read.rows + 1)}


@given(CHANGES)
def test_mutated_rows_are_not_lost(changes: list[tuple[int, int]]) -> None:
    begin = CSV.index(b"\n") + 1
    data = bytearray(CSV)
    for at, byte in changes:
        data[begin + at % (len(data) - begin)] = byte
    try:
        read = parse(bytes(data), FAST)
    except DataProcessingError:
        return  # refused as a whole
    lines = bytes(data).decode(errors="replace").replace("\r\n", "\n").split("\n")[1:]
    held = {number for number, line in enumerate(lines, 1) if line.strip()}
    told = [*read.ticks["row"], *read.rejects["row"]]
    assert len(told) == len({*told})
    for number in held - {*told}:
        missing = lines[number - 1].split(",")[5].strip(' "').lower() in ("", "nan", "n/a", "-")
        assert missing or lines[number - 1] in lines[: number - 1]  # a gap, or a repeat
