"""MISO's daily files of hourly prices, and which documents are MISO's."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DataProcessingError
from pipeline.markets import miso
from tests.pipeline.markets.miso_files import (
    COLUMNS,
    DA,
    DA_EXANTE,
    FINAL,
    HOUR,
    PRELIM,
    RT,
    day,
    est,
    node,
    parse,
    prices,
    problems,
    row,
    second_reading,
)  # fmt: skip

SAMPLES = Path(__file__).parents[3].parent / "shared" / "data" / "iso" / "miso"
SAMPLED = sorted(SAMPLES.glob("*/*.csv"))
READ = ("row", "location", "location_type", "start", "price", "energy", "congestion", "loss")
D = Decimal


@pytest.mark.skipif(not SAMPLED, reason="the exchange's own documents may not be redistributed: none are here")
def test_real_files_are_read_as_a_plain_reading_does() -> None:
    for path in SAMPLED:
        read = parse(path.read_bytes(), path.name)
        assert read.rejects.is_empty()
        assert read.ticks.select(READ).rows() == second_reading(path.read_bytes()), path.name


@pytest.mark.skipif(not SAMPLED, reason="the exchange's own documents may not be redistributed: none are here")
def test_hours_of_real_files_lie_within_their_day_of_24_hours() -> None:
    for path in SAMPLED:
        ticks = parse(path.read_bytes(), path.name).ticks
        first = est(f"{path.name[:4]}-{path.name[4:6]}-{path.name[6:8]}")
        assert ticks["start"].unique().sort().to_list() == [first + HOUR * n for n in range(24)]
        assert (ticks["hold_end"] == ticks["start"] + HOUR).all()
        assert (ticks["ts"] == ticks["start"]).all()


def test_energy_is_derived_exactly() -> None:
    read = parse(day(*node("A.B", "30.25", "-.37", "10")))
    assert read.ticks.height == 24
    assert prices(read)[0] == ("A.B", est("2026-07-14"), D("30.25"), D("20.62"), D("-0.37"), D(10))
    told = read.ticks.select("market", "product", "location_type", "instrument", "derived", "version", "row", "end")
    assert told.row(23) == ("miso", "da_hourly", "Hub", "miso.da_hourly.A.B", True, 0, 1, est("2026-07-15"))


@pytest.mark.parametrize("kinds", ["LMP MCC MLC", "MLC MCC LMP", "LMP", "MCC LMP"])
def test_parts_are_found_wherever_their_rows_stand(kinds: str) -> None:
    amounts = {"LMP": ("10", "20"), "MCC": ("1", "2"), "MLC": (".25", ".5")}
    parts = kinds.split()
    expected = [
        tuple(D(amounts[part][which]) if part in parts else None for part in ("LMP", "MCC", "MLC")) for which in (0, 1)
    ]
    by_part = [row(name, part, amounts[part][which]) for part in parts for which, name in enumerate(("A", "B"))]
    by_node = [row(name, part, amounts[part][which]) for which, name in enumerate(("A", "B")) for part in parts]
    order = {"LMP": (0, 1), "MCC": (1, 0), "MLC": (1, 0)}
    crossed = [row("AB"[which], part, amounts[part][which]) for part in parts for which in order[part]]
    for rows in (by_part, by_node, crossed):
        ticks = parse(day(*rows)).ticks.sort("location", "start").select("price", "congestion", "loss", "energy")
        assert [each[:3] for each in (ticks.row(0), ticks.row(24))] == expected
        whole = {"LMP", "MCC", "MLC"} <= set(parts)
        assert ticks["energy"].to_list() == ([D("8.75")] * 24 + [D("17.5")] * 24 if whole else [None] * 48)


def test_a_node_of_two_types_is_two_prices() -> None:
    rows = [*node("A", "10", "1", "2", kind="Hub"), *node("A", "20", "3", "4", kind="Loadzone")]
    ticks = parse(day(*rows)).ticks.filter(start=est("2026-07-14"))
    assert ticks.select("location_type", "energy").rows() == [("Hub", D(7)), ("Loadzone", D(13))]


@pytest.mark.parametrize(
    ("title", "name", "told"),
    [
        ("Day Ahead Market LMPs", "x.csv", ("da_hourly", 0)),
        (DA, "x", ("da_hourly", 0)),
        (DA_EXANTE, "20260714_da_exante_lmp.csv", ("da_exante_hourly", 0)),
        (RT, PRELIM, ("rt_hourly", 0)),
        (RT, FINAL, ("rt_hourly", 1)),
        (RT, "final/my prelim.csv", ("rt_hourly", 0)),
        ("Some LMPs", FINAL, ("rt_hourly", 1)),
        ("", "20260714_da_expost_lmp.csv", ("da_hourly", 0)),
    ],
)
def test_the_title_tells_the_product_and_the_name_the_grade(title: str, name: str, told: tuple[str, int]) -> None:
    data = day(*node("A"), title=title)
    assert parse(data, name).ticks.select("product", "version").unique().rows() == [told]
    assert miso.claims(name, data)


@pytest.mark.parametrize(
    ("title", "name", "product", "said"),
    [
        (RT, "x.csv", None, "keep MISO's file name"),
        (RT, "x.csv", "rt_hourly", "keep MISO's file name"),
        (RT, "final_prelim.csv", None, "says both"),
        (DA, "20260714_da_exante_lmp.csv", None, "the title is of da_hourly, the file name of da_exante_hourly"),
        ("LMPs", "x", None, "neither title nor file name"),
        ("Realtime Market ExAnte LMPs", "x", None, "neither title nor file name"),
        (DA, "x", "rt_5min", "is of da_hourly, not of rt_5min"),
        (DA, "x", "rt_sced", "none of MISO's"),
    ],
)
def test_a_doubt_refuses_the_file(title: str, name: str, product: str | None, said: str) -> None:
    with pytest.raises(DataProcessingError, match=said):
        parse(day(*node("A"), title=title), name, product)


def test_the_preamble_may_be_padded_quoted_or_have_another_length() -> None:
    plain = day(*node("A"))
    lines = plain.decode().splitlines()
    padded = "\n".join([line + "," * (26 - line.count(",")) for line in lines]).encode()
    expected = prices(parse(plain))
    forms = {
        "padded": (padded, 5), "without a blank line": (day(*node("A"), blank=False), 4),
        "longer": (b"MISO\n\n\n" + plain, 8), "BOM and CRLF": (b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n"), 5),
        "quoted": ("\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in lines).encode(), 5),
        "date unpadded": (day(*node("A"), date="7/14/2026"), 5), "ISO date": (day(*node("A"), date="2026-07-14"), 5),
    }  # fmt: skip
    for form, (data, header_line) in forms.items():
        read = parse(data)
        assert (prices(read), read.header_line, read.rows, problems(read)) == (expected, header_line, 3, []), form


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("", "its lines hold none"),
        ("07/14/2026 07/15/2026", "hold 07/14/2026, 07/15/2026"),
        ("13/14/2026", "is no date"),
        ("07/14/1889", "is outside"),
        ("07/14/2026 EDT", "these say EDT"),
    ],
)
def test_one_date_in_est_is_needed(date: str, said: str) -> None:
    with pytest.raises(DataProcessingError, match=said):
        parse(day(*node("A"), date=date))


def test_hours_are_found_by_name_and_one_may_be_absent() -> None:
    read = parse(day("A,Hub,LMP,2,1", columns=("HE 24", "HE 1")))
    bare = b"\xef\xbb\xbfNode,Type,Value,HE 1\nA,Hub,LMP,1\n"
    assert miso.claims("x", bare)
    with pytest.raises(DataProcessingError, match="its lines hold none"):
        parse(bare, "20260714_da_expost_lmp.csv")
    assert prices(read) == [
        ("A", est("2026-07-14"), D(1), None, None, None),
        ("A", est("2026-07-14T23:00"), D(2), None, None, None),
    ]


@pytest.mark.parametrize(
    ("columns", "said"),
    [((*COLUMNS, "HE 25"), "names HE 25"), (("HE 0",), "names HE 0"), (("HE 1", "HE1"), "twice"), (("1",), "absent")],
)
def test_other_hours_refuse_the_file(columns: tuple[str, ...], said: str) -> None:
    with pytest.raises(DataProcessingError, match=said):
        parse(day("A,Hub,LMP" + ",1" * len(columns), columns=columns))


def test_a_bad_cell_refuses_its_row_and_the_other_cells_live() -> None:
    read = parse(day(row("A", "LMP", "x", "2", "y", "4"), row("A", "MCC", "1", "z", "1"), row("A", "MLC", "0")))
    assert problems(read) == [(1, "HE 1", "x"), (2, "HE 2", "z")]
    assert read.rejects["reason"].to_list() == [
        "HE 1 'x' is not a finite decimal number (and 1 more cells of the row)",
        "HE 2 'z' is not a finite decimal number",
    ]
    assert [each[2:] for each in prices(read)[:2]] == [(D(2), None, None, D(0)), (D(4), D(3), D(1), D(0))]
    assert read.ticks.height == 22


def test_a_missing_price_is_a_gap_and_a_missing_part_is_null() -> None:
    read = parse(day(row("A", "LMP", "", "NaN", "N/A", "-", "5"), row("A", "MCC", "1"), row("A", "MLC", *"00000", "-")))
    assert (read.ticks.height, problems(read)) == (20, [])
    assert [each[2:] for each in prices(read)[:2]] == [(D(5), D(4), D(1), D(0)), (D(5), None, D(1), None)]


def test_amounts_as_a_spreadsheet_shows_them() -> None:
    read = parse(day(row("A", "LMP", '"1,234.50"', "$2", "-$3.52", '"$-1,000"', "$.5", '"1,2"')))
    assert [each[2] for each in prices(read)] == [D("1234.50"), D(2), D("-3.52"), D(-1000), D(".5")]
    assert problems(read) == [(1, "HE 6", "1,2")]


def test_rows_of_no_node_part_or_type_are_refused() -> None:
    rows = [row("", "LMP", "1"), row("A", "MEC", "1"), row("A\x07", "LMP", "1"), *node("B"), row("C", "MLC", "1")]
    assert problems(parse(day(*rows))) == [
        (1, "Node", ""),
        (2, "Value", "MEC"),
        (3, "Node", "A\x07"),
        (7, "Value", "MLC"),
    ]


def test_publications_that_come_again() -> None:
    """Equal ones are one; of others the later one stands behind, in the order of the rows."""
    again = [row("A", "LMP", "30.25", "31"), row("A", "MCC", "-.5"), row("A", "MLC", "1")]
    ticks = parse(day(*node("A"), *node("B"), *again, *node("B"))).ticks
    assert ticks.filter(location="B").height == 24
    hours = ticks.filter(location="A", start=est("2026-07-14T01:00")).select("price", "energy", "row").rows()
    assert hours == [(D("30.25"), D("29.75"), 1), (D(31), D("30.5"), 7)]
    assert ticks.filter(location="A", start=est("2026-07-14")).height == 1
    more = parse(day(*node("A"), row("A", "MCC", "7"))).ticks.filter(start=est("2026-07-14"))
    assert more.select("congestion", "row").rows() == [(D(7), 1)]  # a further part is that of the last LMP row
    lone = parse(day(*node("A"), row("A", "LMP", "40"))).ticks.filter(start=est("2026-07-14"))
    assert lone["energy"].to_list() == [D("29.75"), D("39.5")]  # the parts of before hold on


@pytest.mark.parametrize(
    "footer", ["\n", "\n\n*END*", ",,,,\n", "Prices may change, see the tariff.", '"a, b, and more"']
)
def test_what_stands_behind_the_table_is_no_row(footer: str) -> None:
    read = parse(day(*node("A")) + footer.encode())
    assert (read.rows, read.ticks.height, problems(read)) == (3, 24, [])


def test_a_file_that_is_cut_off_says_so() -> None:
    whole = day(*node("A"), *node("B"))
    read = parse(whole[:-20])
    assert (read.ticks.height, read.rejects["row"].to_list()) == (48, [6])
    assert "the document is truncated" in read.rejects["reason"][0]
    with pytest.raises(DataProcessingError, match="no data row"):
        parse(day())
    with pytest.raises(DataProcessingError, match="several reports"):
        parse(whole + whole)


def test_an_energy_that_cannot_be_held_refuses_its_price() -> None:
    read = parse(day(row("A", "LMP", "999999999", "1"), row("A", "MCC", "-1"), row("A", "MLC", "0")))
    assert (problems(read), read.ticks.height) == ([(1, "HE 1", "999999999")], 23)
    assert "leaves an energy" in read.rejects["reason"][0]


FIXTURE = day(row("A.B", "LMP", "1.5", "-", "3"), *node("C"), row("A.B", "MCC", "2"), row("A.B", "MLC", '"1,000"'))


@given(
    st.lists(st.tuples(st.integers(0, len(FIXTURE) - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(FIXTURE))
)
def test_mutated_files_lose_no_row(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(FIXTURE)
    for at, byte in changes:
        data[at] = byte
    try:
        read = parse(bytes(data[:cut]) if cut % 3 == 0 else bytes(data))
    except DataProcessingError:
        return  # refused as a whole
    told = {*read.ticks["row"], *read.rejects["row"]}
    assert read.rejects["row"].is_unique().all()
    assert told <= set(range(1, read.rows + 1))
    assert read.ticks["price"].null_count() == read.ticks["instrument"].null_count() == 0
