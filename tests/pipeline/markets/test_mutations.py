"""Documents of every market and form, damaged: nothing but a refusal escapes, and no row is lost without a word."""

import re
from collections.abc import Callable
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.bench import full_size
from local.documents import caiso, ercot, miso, nyiso, pjm
from local.documents.prices import Price, starts, usd, zipped
from pipeline import members
from pipeline.errors import DataProcessingError

DAY = date(2026, 11, 1)  # of 25 hours
SCALE = 0.001
LINES = 400  # of a table: of a day of five-minute prices two hours stand for all
MUTANTS = settings.default.max_examples * 10  # pyright: ignore[reportOptionalMemberAccess]
PRICED_ROW_BY_ROW = re.compile(r"^(?:pjm|ercot|nyiso) \S+ CSV")
MISSING = re.compile(r"(?:^|,)\s*(?:|nan|n/a|-)\s*(?=,|$)", re.IGNORECASE)


def _days() -> dict[str, tuple[str, bytes]]:
    """A few locations on the day of the clock change, in the forms that the full-size documents do not have."""
    hours, nodes = starts(DAY, pjm.EASTERN), list(pjm.HUBS)[:2]
    prices = [Price(node, at, usd("pjm", node, at, pjm.EASTERN)) for at in hours for node in nodes]
    zones = [price._replace(node=zone) for price, zone in zip(prices, ["WEST", "N.Y.C."] * len(hours), strict=True)]
    points = [Price(point, at, 20.5) for at in starts(DAY, ercot.CENTRAL) for point in ("HB_NORTH", "LZ_WEST")]
    return {
        "pjm rt_hourly CSV": pjm.export("rt_hrl_lmps", prices, 2),
        "pjm rt_hourly JSON": pjm.unverified("rt_unverified_hrl_lmps", prices),
        "nyiso da_hourly CSV": nyiso.hours("damlbmp", DAY, zones),
        "ercot da_hourly CSV": ercot.day_ahead(DAY, points),
        "ercot rt_15min CSV": ercot.settlement(points[:2]),
        "miso rt_hourly CSV": miso.day("rt_lmp_prelim", DAY, [
            Price("ALTW.X", at, 3.25) for at in starts(DAY, miso.EST)]),
        "caiso refusal": ("INVALID_REQUEST.zip", caiso.refusal()),
        "caiso da_hourly CSV": ("PRC_LMP.csv", caiso.csv(caiso.DAM, [
            Price("N_1", at, -1.5) for at in starts(DAY, caiso.PACIFIC)])),
    }  # fmt: skip


def _first(content: bytes) -> bytes:
    return b"".join(content.splitlines(keepends=True)[:LINES])


DOCUMENTS: dict[str, tuple[str, bytes]] = {
    **{
        each.name: (each.file, _first(each.content) if each.kind == "csv" else each.content)
        for each in full_size.documents(SCALE)
    },
    **_days(),
}


def _cut(data: bytes, draw: st.DataObject) -> bytes:
    return data[: draw.draw(st.integers(0, len(data)))]


def _bytes(data: bytes, draw: st.DataObject) -> bytes:
    at = draw.draw(st.integers(0, len(data)))
    return data[:at] + draw.draw(st.binary(min_size=1, max_size=4)) + data[at + draw.draw(st.integers(0, 4)) :]


def _rows(data: bytes, draw: st.DataObject) -> bytes:
    lines = data.splitlines(keepends=True)
    at, to = (draw.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    moved = lines[at : at + draw.draw(st.integers(1, 4))]
    return b"".join([*lines[:to], *moved, *lines[to:]])


def _columns(data: bytes, draw: st.DataObject) -> bytes:
    table = [line.split(b",") for line in data.splitlines()]
    width = max(len(row) for row in table)
    first, second = (draw.draw(st.integers(0, width - 1)) for _ in range(2))
    for row in table:
        if max(first, second) < len(row):
            row[first], row[second] = row[second], row[first]
    return b"\n".join(b",".join(row) for row in table)


def _cell(data: bytes, draw: st.DataObject) -> bytes:
    """A cell or a JSON value of another type."""
    values = [match.span() for match in re.finditer(rb"[^,:{}\[\]\n<>\"]+", data)]
    start, end = draw.draw(st.sampled_from(values)) if values else (0, 0)
    other = draw.draw(st.sampled_from([b"", b"-", b"NaN", b"1e400", b"null", b"true", b"[]", b"{}", b'"x"', b"24:00",
                                       b"25", b"11/31/2026", b"9" * 30, b"0.0000000001", b"\xe9"]))  # fmt: skip
    return data[:start] + other + data[end:]


def _encoding(data: bytes, draw: st.DataObject) -> bytes:
    text = data.decode("latin-1")
    return text.encode(draw.draw(st.sampled_from(["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "cp500"])))


def _packing(data: bytes, draw: st.DataObject) -> bytes:
    packed = zipped("inner", data)
    return packed if draw.draw(st.booleans()) else _bytes(packed, draw)


MUTATIONS: list[Callable[[bytes, st.DataObject], bytes]] = [_cut, _bytes, _rows, _columns, _cell, _encoding, _packing]


@settings(max_examples=MUTANTS)
@given(st.data())
def test_nothing_but_a_refusal_escapes_and_no_row_is_lost(draw: st.DataObject) -> None:
    name = draw.draw(st.sampled_from(sorted(DOCUMENTS)))
    file, content = DOCUMENTS[name]
    for mutate in draw.draw(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=2)):
        content = mutate(content, draw) if content else content
    kept_name = draw.draw(st.booleans())
    read = _read(content, file if kept_name else "document")
    if read is None:
        return
    assert (read.rejects["reason"].str.len_chars() > 0).all()
    assert read.ticks.select("price", "ts", "instrument", "row").null_count().sum_horizontal().item() == 0
    if PRICED_ROW_BY_ROW.match(name) and not content.startswith(b"PK") and b"\x00" not in content and not read.refused:
        _accounted(content, read, DOCUMENTS[name][1])


def _read(content: bytes, file: str) -> members.Reading | None:
    """Null for what is refused as a whole."""
    try:
        return members.read(content, file)
    except DataProcessingError:
        return None


def _accounted(content: bytes, read: members.Reading, whole: bytes) -> None:
    """Every line below the header is a tick, a refusal, a missing price, a repeat, or blank."""
    lines = content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").removesuffix("\n").split("\n")
    header = next(at for at, line in enumerate(lines) if line.strip())
    # Lines that differ in what is no column any more repeat each other.
    columns = _cells(lines[header])
    known = [at for at, name in enumerate(columns) if name in _cells(whole.decode().splitlines()[0])]
    told = set(read.ticks["row"]) | set(read.rejects["row"])
    before = set[tuple[str, ...]]()
    for row, line in enumerate(lines[header + 1 :], 1):
        cells = _cells(line)
        said = tuple(cells[at] for at in known if at < len(cells)) or (line,)
        assert row in told or said in before or not line.strip() or MISSING.search(line.replace('"', "")), (row, line)
        before.add(said)


def _cells(line: str) -> list[str]:
    return [cell.strip('" \r') for cell in line.split(",")]


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_what_is_damaged_could_be_read_before(name: str) -> None:
    file, content = DOCUMENTS[name]
    if name == "caiso refusal":
        [(_, error)] = members.read(content, file).refused
        assert "1015" in error.message
        return
    read = members.read(content, file)
    assert not read.refused
    assert read.rejects.is_empty()
    assert read.ticks["ts"].max() is not None
    assert isinstance(read.ticks, pl.DataFrame)
