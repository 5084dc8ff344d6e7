import csv
import io
import random
import zipfile
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import markets, members
from pipeline.documents import Document
from pipeline.errors import DataProcessingError
from pipeline.markets import caiso
from pipeline.markets.caiso_lmp import KIND, NODE
from pipeline.members import Reading
from tests.pipeline.making import HEADER, interval, oasis, oasis_row

SAMPLES = Path(__file__).parents[3].parent / "shared" / "data" / "iso" / "caiso"
LMP_FILES = sorted(path for kind in ("dam", "hasp", "rtpd", "rtm") for path in (SAMPLES / kind).glob("*"))
PRODUCTS = {"DAM": "da_hourly", "HASP": "hasp_15min", "RTPD": "rt_15min", "RTM": "rt_5min"}
KEY = (caiso.RUN, NODE, caiso.START, caiso.END, KIND)
COMPONENTS = {"MCE": "energy", "MCC": "congestion", "MCL": "loss", "MGHG": "ghg"}


def parse(content: bytes, product: str | None = None, market: str | None = None) -> Reading:
    read = members.read(content, "doc.csv", market, product)
    if read.refused:
        raise read.refused[0][1]
    return read


def content(path: Path) -> bytes:
    if path.suffix != ".zip":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return archive.read(archive.namelist()[0])


def second_reading(data: bytes) -> list[tuple[object, ...]]:
    """The plain way: row by row, with csv and Decimal."""
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    price = next(name for name in ("MW", "PRC", "VALUE") if name in rows[0])
    parts: dict[tuple[str, str, str, str], dict[str, tuple[int, Decimal]]] = defaultdict(dict)
    for number, row in enumerate(rows, 1):
        key = (row["MARKET_RUN_ID"], row["NODE"], row["INTERVALSTARTTIME_GMT"], row["INTERVALENDTIME_GMT"])
        assert row["LMP_TYPE"] not in parts[key], "the samples hold no row twice"
        parts[key][row["LMP_TYPE"]] = (number, Decimal(row[price]))
    none = (0, None)
    return sorted(
        (of["LMP"][0], f"caiso.{PRODUCTS[run]}.{node}", datetime.fromisoformat(start), datetime.fromisoformat(end),
         of["LMP"][1], *(of.get(kind, none)[1] for kind in COMPONENTS))
        for (run, node, start, end), of in parts.items()
    )  # fmt: skip


@pytest.mark.skipif(not LMP_FILES, reason="the exchange samples are not beside this checkout")
@pytest.mark.parametrize("path", LMP_FILES, ids=lambda path: path.name)
def test_every_sample_equals_a_second_reading(path: Path) -> None:
    data = content(path)
    parsed = parse(data)
    columns = ("row", "instrument", "start", "end", "price", *COMPONENTS.values())
    assert parsed.ticks.select(columns).rows() == second_reading(data)
    assert parsed.rejects.height == 0
    assert parsed.ticks["ts"].equals(parsed.ticks["start"])
    assert parsed.ticks["hold_end"].equals(parsed.ticks["end"])
    held = parsed.ticks.select(pl.sum_horizontal(pl.col(*COMPONENTS.values()).fill_null(0)) - pl.col("price"))
    assert held.to_series().abs().max() <= Decimal("0.0002")  # pyright: ignore[reportOptionalOperand, reportOperatorIssue]


@pytest.mark.skipif(not SAMPLES.exists(), reason="the exchange samples are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "word"),
    [("other/20251101_20251103_PRC_NOMOGRAM_DAM.csv", "no LMP report"),
     ("other/empty_response_error.xml", "error 1000: No data returned")],
)  # fmt: skip
def test_what_is_no_lmp_csv_is_refused(name: str, word: str) -> None:
    with pytest.raises(DataProcessingError, match=word):
        parse((SAMPLES / name).read_bytes())


@pytest.mark.parametrize("price", ["MW", "PRC", "VALUE"])
def test_components_come_together_in_any_order(price: str) -> None:
    rows = [*interval(5), *interval(), oasis_row("MGHG", "0")]
    ticks = parse(oasis(*reversed(rows), price=price)).ticks
    listed = ticks.select("instrument", "start", "price", "energy", "congestion", "loss", "ghg", "row").rows()
    amounts = (Decimal("31.5"), Decimal(30), Decimal("1.25"), Decimal("0.25"))
    instrument, at = "caiso.rt_5min.NODE_A", datetime(2024, 6, 1, 20, tzinfo=UTC)
    assert listed == [
        (instrument, at, *amounts, Decimal(0), 5),
        (instrument, at.replace(minute=5), *amounts, None, 9),
    ]


def problems(parsed: Reading) -> list[tuple[int, str, str]]:
    return parsed.rejects.select("row", "field", "value").rows()


@pytest.mark.parametrize(
    ("row", "field", "value"),
    [(oasis_row("LMP", "x", 5), "VALUE", "x"), (oasis_row("LMP", "-1-", 5), "VALUE", "-1-"),
     (oasis_row("LMP", "1e30", 5), "VALUE", "1e30"), (oasis_row("LMP", "0.123456789012", 5), "VALUE", "0.123456789012"),
     (oasis_row("LMP", "inf", 5), "VALUE", "inf"), (oasis_row("MCC", "1..2"), "VALUE", "1..2"),
     (oasis_row("SPTIE", "1", 5), "LMP_TYPE", "SPTIE"), (oasis_row("LMP", "1", 5, node=""), "NODE", ""),
     (oasis_row("LMP", "1", 5, run="RUC"), "MARKET_RUN_ID", "RUC"), (oasis_row("MCC", "1", 10), "LMP_TYPE", "MCC"),
     (oasis_row("LMP", "1", 5).replace("20:05:00-00:00", "20:05:00"), "INTERVALSTARTTIME_GMT", "2024-06-01T20:05:00"),
     (oasis_row("LMP", "1", 5).replace("20:10:00", "20:25:00"), "INTERVALENDTIME_GMT", "2024-06-01T20:25:00-00:00"),
     (oasis_row("LMP", "1", 5).replace("20:10:00", "20:10:00.5"), "INTERVALENDTIME_GMT", "2024-06-01T20:10:00.5-00:00"),
     (oasis_row("LMP", "1", 7), "INTERVALSTARTTIME_GMT", "2024-06-01T20:07:00-00:00"),
     (oasis_row("LMP", "1", 5, run="DAM"), "INTERVALSTARTTIME_GMT", "2024-06-01T20:05:00-00:00"),
     (oasis_row("LMP", "1", 0, run="DAM"), "INTERVALENDTIME_GMT", "2024-06-01T20:05:00-00:00"),
     ("a,b,c", "row", "a,b,c"), ('"' + oasis_row("LMP", "1", 5), "row", '"' + oasis_row("LMP", "1", 5)[:199])],
)  # fmt: skip
def test_a_broken_row_is_refused_while_others_live(row: str, field: str, value: str) -> None:
    content = oasis(*interval(), row, *interval(15))
    parsed = parse(content)
    assert problems(parsed) == [(5, field, value)]
    assert parsed.ticks["row"].to_list() == [1, 6]
    assert markets.parse(Document(content, "doc.csv")).rows == 9


@pytest.mark.parametrize("nothing", ["", " ", "NaN", "nan", "N/A", "-"])
def test_a_missing_price_is_no_tick_and_no_refusal(nothing: str) -> None:
    parsed = parse(oasis(*interval(), *interval(5, LMP=nothing), *interval(10)))
    assert parsed.rejects.height == 0
    assert parsed.ticks["row"].to_list() == [1, 9]


def test_a_price_after_a_missing_one_keeps_its_own_components() -> None:
    parsed = parse(oasis(*interval(LMP="", MCC="9"), *interval(MCC="2")))
    assert parsed.ticks.select("price", "congestion", "row").rows() == [(Decimal("31.5"), Decimal(2), 5)]


def test_a_report_of_missing_prices_alone_is_refused() -> None:
    with pytest.raises(DataProcessingError, match="holds no price"):
        parse(oasis(*interval(LMP="")))


def test_a_component_without_a_value_is_null() -> None:
    parsed = parse(oasis(*interval(MCC="", MCL="N/A")))
    assert parsed.rejects.height == 0
    assert parsed.ticks.select("price", "congestion", "loss").row(0) == (Decimal("31.5"), None, None)


@pytest.mark.parametrize(
    ("row", "reason"),
    [('"a"b' + oasis_row("LMP", "1", 5), "text behind a closing quote"),
     ('"' + oasis_row("LMP", "1", 5), "quotes do not close"),
     ("a\rb" + oasis_row("LMP", "1", 5).replace("X", '"X,"'), "carriage return outside quotes"),
     ('"a,b",' + oasis_row("LMP", "1", 5), "17 of 16 fields"), ('"a",b', "2 of 16 fields")],
)  # fmt: skip
def test_a_row_that_is_no_csv_says_why(row: str, reason: str) -> None:
    parsed = parse(oasis(*interval(), row))
    assert reason in parsed.rejects["reason"].item()


def test_a_field_may_be_long() -> None:
    row = oasis_row("LMP", "1", 5).replace("X", '"a,' + "x" * 200_000 + '"')
    assert parse(oasis(*interval(), row)).ticks.height == 2


def test_quotes_blank_lines_crlf_and_a_byte_order_mark() -> None:
    lines = [
        HEADER.format(price="MW"),
        "",
        *interval(),
        ",".join(f'"{cell}"' for cell in oasis_row("LMP", "7", 5).split(",")),
    ]
    parsed = parse(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    assert parsed.rejects.height == 0
    assert parsed.ticks.select("row", "price").rows() == [(2, Decimal("31.5")), (6, Decimal(7))]


def test_a_truncated_document_says_so() -> None:
    data = oasis(*interval(), oasis_row("LMP", "1", 5))[:-30]
    [reason] = parse(data).rejects["reason"].to_list()
    assert "last row is cut off" in reason


def test_equal_rows_collapse_and_different_ones_are_publications() -> None:
    def prices(*rows: str) -> list[tuple[object, ...]]:
        parsed = parse(oasis(*rows))
        assert parsed.rejects.height == 0
        return parsed.ticks.select("row", "price", "congestion").rows()

    once, lmp = interval(), [oasis_row("LMP", "31.5"), oasis_row("LMP", "9"), oasis_row("LMP", "31.5")]
    price, congestion = Decimal("31.5"), Decimal("1.25")
    assert prices(*once, *once) == [(1, price, congestion)]
    assert prices(*once, *interval(LMP="9", MCC="2")) == [(1, price, congestion), (5, Decimal(9), Decimal(2))]
    assert prices(*lmp, *once[1:]) == [(1, price, congestion), (2, Decimal(9), congestion), (3, price, congestion)]
    assert prices(*once, oasis_row("MCC", "8")) == [(1, price, Decimal(8))]


@pytest.mark.parametrize(
    ("data", "product", "word"),
    [(oasis(), None, "no data row"), (oasis(*interval()), "da_hourly", "no row"),
     (oasis(*interval()), "x", "none of CAISO's"),
     (oasis(*interval(), price="COST"), None, "one price column"), (b"<html>busy</html>", None, "web page"),
     (oasis(oasis_row("LMP", "1", run="RUC")), None, "no row"), (b"", None, "empty"),
     (b"a,b\n1,2", None, "no LMP report"), (oasis(*interval()).replace(b"GROUP", b"NODE"), None, "2 times")],
)  # fmt: skip
def test_whole_refusals(data: bytes, product: str | None, word: str) -> None:
    with pytest.raises(DataProcessingError, match=word):
        parse(data, product, "caiso")


def test_claims() -> None:
    assert [caiso.claims("x", data) for data in (oasis(*interval()), b"a,b\n1,2", b"")] == [True, False, False]


def test_a_panic_while_reading_refuses_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(document: Document) -> None:
        raise pl.exceptions.PanicException(document.name)

    monkeypatch.setattr(caiso, "parse", panic)
    with pytest.raises(DataProcessingError, match=r"cannot be read: doc\.csv"):
        parse(oasis(*interval()))


FIXTURE = oasis(*interval(), *interval(5), *interval(10, node="NODE_B"), oasis_row("MGHG", "0"))


@given(
    st.lists(st.tuples(st.integers(0, len(FIXTURE) - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(FIXTURE))
)
def test_mutated_documents_lose_no_row(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(FIXTURE)
    for at, byte in changes:
        data[at] = byte
    mutated = bytes(data[:cut]) if cut % 3 == 0 else bytes(data)
    try:
        parsed = parse(mutated, market="caiso")
    except DataProcessingError:
        return  # refused as a whole
    refused = parsed.rejects["row"].to_list()
    assert len(refused) == len(set(refused))
    text = mutated.decode(errors="replace").removeprefix("\ufeff").replace("\r\n", "\n")
    header_line = markets.parse(Document(mutated, "doc.csv", "caiso")).header_line
    lines = text.split("\n")[header_line:]
    data_rows = {row for row, line in enumerate(lines, 1) if line.strip()}
    assert set(refused) <= data_rows
    assert set(parsed.ticks["row"]) <= data_rows - set(refused)
    header = [cell.strip() for cell in text.split("\n")[header_line - 1].split(",")]
    accepted = [next(csv.reader([lines[row - 1]])) for row in sorted(data_rows - set(refused))]
    keys = [tuple(cells[header.index(name)] for name in KEY) for cells in accepted]
    if len(set(keys)) < len(keys):
        return  # rows that say the same price again are one publication
    price = next(header.index(name) for name in ("MW", "PRC", "VALUE") if name in header)
    blank = sum(cells[price].strip().lower() in ("", "nan", "n/a", "-") for cells in accepted)
    components = parsed.ticks.select(pl.sum_horizontal(pl.col("price", *COMPONENTS.values()).is_not_null()))
    assert components.to_series().sum() + blank == len(accepted)


def test_the_unchanged_fixture_gives_every_row() -> None:
    parsed = parse(FIXTURE)
    assert (parsed.ticks.height, parsed.rejects.height) == (3, 0)


REPEATED = [*interval(LMP="10", MCC="1"), *interval(LMP="20", MCC="2")]


@pytest.mark.parametrize(
    ("at", "value", "found", "refused"),
    [(0, "x", [(20, 2)], [1, 2, 3, 4]), (4, "x", [(10, 1)], [5, 6, 7, 8]), (0, "", [(20, 2)], []),
     (2, "x", [(10, None), (20, 2)], [3]), (6, "x", [(10, 1), (20, None)], [7]),
     (2, "", [(10, None), (20, 2)], []), (6, "", [(10, 1), (20, None)], [])],
)  # fmt: skip
def test_no_publication_takes_the_components_of_another(
    at: int, value: str, found: list[tuple[int, int | None]], refused: list[int]
) -> None:
    cells = REPEATED[at].split(",")
    cells[13] = value
    parsed = parse(oasis(*REPEATED[:at], ",".join(cells), *REPEATED[at + 1 :]))
    assert parsed.ticks.select("price", "congestion").rows() == found
    assert parsed.rejects["row"].to_list() == refused


def test_a_row_whose_interval_is_wrong_takes_nothing_from_another() -> None:
    strayed = oasis_row("MCC", "1", 5).replace("20:05:00", "20:00:00")
    parsed = parse(oasis(*interval(MCC="2"), strayed))
    assert parsed.ticks["congestion"].to_list() == [2]
    assert parsed.rejects["row"].to_list() == [5]


def test_many_rows_of_one_interval_are_one_publication() -> None:
    rows = [oasis_row(kind, "1") for kind in ("LMP", "MCE", "MCC") for _ in range(20_000)]
    assert parse(oasis(*rows)).ticks.height == 1


def test_bad_rows_of_a_long_document_are_told_one_by_one() -> None:
    good = [oasis_row("LMP", "1", 5 * (number % 9), f"N{number}").split(",") for number in range(600)]
    for seed in range(40):
        rng = random.Random(seed)
        rows = [list(cells) for cells in good]
        bad = sorted(rng.sample(range(len(rows)), rng.choice([2, 3, 8])))
        for at in bad:
            rows[at][rng.choice([0, 1, 13])] = f"bad{at}" + "z" * rng.choice([0, 30])
        parsed = parse(oasis(*map(",".join, rows)))
        assert parsed.rejects["row"].to_list() == [at + 1 for at in bad]
        assert all(value.startswith("bad") for value in parsed.rejects["value"])
        assert parsed.ticks.height == len(rows) - len(bad)
