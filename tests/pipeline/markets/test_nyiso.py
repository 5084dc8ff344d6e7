import csv
import io
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import markets
from pipeline.documents import Document
from pipeline.errors import DataProcessingError
from pipeline.markets import caiso, nyiso
from pipeline.members import Reading
from tests.pipeline import making
from tests.pipeline.markets.nyiso_files import (
    DAY,
    DAY_AHEAD,
    FIVE,
    HEADER,
    HOUR,
    HOURS,
    NEW_YORK,
    export,
    file,
    minutes,
    parse,
    problems,
    row,
    stamps,
)  # fmt: skip

SAMPLES = Path(__file__).parents[3].parent / "shared" / "data" / "iso" / "nyiso"
SAMPLED = sorted(SAMPLES.glob("*/*.csv"))
LOOKING_AHEAD = "pyiso_lmp_20160218.csv"
PRODUCTS = {"dam": "da_hourly", "oasis_export": "da_hourly", "rt_hourly": "rt_hourly", "rt_5min": "rt_5min"}
FORMS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%y %H:%M")
COLUMNS = {
    "Name": ("Name", "Zone Name"), "LBMP": ("LBMP ($/MWHr)", "DAM Zonal LBMP"),
    "Losses": ("Marginal Cost Losses ($/MWHr)", "DAM Zonal Losses"),
    "Congestion": ("Marginal Cost Congestion ($/MWHr)", "DAM Zonal Congestion"),
}  # fmt: skip
AMOUNTS = ("price", "energy", "congestion", "loss")


def naive(stamp: str) -> datetime:
    for form in FORMS:
        try:
            return datetime.strptime(stamp, form)  # noqa: DTZ007
        except ValueError:
            continue
    raise AssertionError(stamp)


def second_reading(data: bytes) -> list[tuple[object, ...]]:
    """Row, stamp in UTC, name, amounts, version, the plain way: the second time that a location has a stamp is the
    clock's second one."""
    seen, made = set[tuple[str, str]](), list[tuple[object, ...]]()
    for number, cells in enumerate(csv.DictReader(io.StringIO(data.decode().lstrip())), 1):
        stamp = cells.get("Time Stamp") or cells["Eastern Date Hour"]
        name, price, loss, published = (
            next(cells[each] for each in held if each in cells) for held in COLUMNS.values()
        )
        instant = naive(stamp).replace(tzinfo=NEW_YORK, fold=int((name, stamp) in seen)).astimezone(UTC)
        seen.add((name, stamp))
        energy, congestion = Decimal(price) - Decimal(loss) + Decimal(published), -Decimal(published)
        version = int(cells.get("DAM Zonal Price Version") or 0)
        made.append((number, instant, name, Decimal(price), energy, congestion, Decimal(loss), version))
    return made


def second_intervals(instants: list[datetime], product: str) -> dict[datetime, tuple[str, datetime, datetime]]:
    """Product, start and end by the stamp."""
    if product != "rt_5min":
        return {at: (product, at, at + HOUR) for at in instants}
    made, before = dict[datetime, tuple[str, datetime, datetime]](), datetime(1, 1, 1, tzinfo=UTC)
    for at in sorted(set(instants)):
        made[at] = (product, before if at - before <= FIVE else at - FIVE, at)
        before = at
    return made


@pytest.mark.skipif(not SAMPLED, reason="the exchange samples are not beside this checkout")
@pytest.mark.parametrize("path", [path for path in SAMPLED if path.name != LOOKING_AHEAD], ids=lambda path: path.name)
def test_every_sample_equals_a_second_reading(path: Path) -> None:
    data = path.read_bytes()
    read, expected = parse(data, path.name), second_reading(data)
    intervals = second_intervals([each[1] for each in expected], PRODUCTS[path.parent.name])  # pyright: ignore[reportArgumentType]
    stamp = pl.when(pl.col("product") == "rt_5min").then("end").otherwise("start")
    assert read.rejects.height == 0
    assert read.ticks.select("row", stamp, "location", *AMOUNTS, "version").rows() == expected
    assert read.ticks.select("product", "start", "end").rows() == [intervals[each[1]] for each in expected]  # pyright: ignore[reportArgumentType]
    assert read.ticks["ts"].equals(read.ticks.select(stamp).to_series())
    assert read.ticks["hold_end"].equals(read.ticks["end"])
    assert read.ticks["location_type"].unique().to_list() == ["zone"]
    assert read.ticks.select(pl.sum_horizontal("energy", "congestion", "loss") == pl.col("price")).to_series().all()
    spread = read.ticks.group_by("ts").agg(pl.col("energy").max() - pl.col("energy").min())["energy"].max()
    assert spread <= Decimal("0.02")  # pyright: ignore[reportOptionalOperand, reportOperatorIssue]


@pytest.mark.skipif(not SAMPLED, reason="the exchange samples are not beside this checkout")
def test_the_sample_that_looks_ahead() -> None:
    read = parse((SAMPLES / "rt_5min" / LOOKING_AHEAD).read_bytes(), LOOKING_AHEAD)
    assert read.rejects.height == 0
    assert minutes(read, "WEST") == [
        ("rt_5min", "00:10:00", "00:15:00"), ("rtc_15min", "00:15:00", "00:30:00"),
        ("rtc_15min", "00:30:00", "00:45:00"),
    ]  # fmt: skip
    assert read.ticks.height == 45


@pytest.mark.skipif(not SAMPLED, reason="the exchange samples are not beside this checkout")
@pytest.mark.parametrize("market", ["caiso", "pjm", "miso", "ercot"])
def test_no_document_of_another_exchange_is_claimed(market: str) -> None:
    for path in sorted((SAMPLES.parent / market).rglob("*.csv")):
        assert not nyiso.claims(path.name, path.read_bytes()[: markets.HEAD])
    for path in SAMPLED:
        assert not caiso.claims(path.name, path.read_bytes()[: markets.HEAD])


def amounts(read: Reading) -> list[tuple[object, ...]]:
    return read.ticks.select(*AMOUNTS).rows()


PRICE = (Decimal("30.25"), Decimal("26.00"), Decimal("2.75"), Decimal("1.50"))
PLAIN = HEADER.replace('"', "")
CUT = [HEADER[: -len('r)"')] + '"', PLAIN.removesuffix("r)"), PLAIN.removesuffix("r)") + '"', HEADER + '"']


@pytest.mark.parametrize("header", [HEADER, PLAIN, PLAIN.upper(), *CUT])
@pytest.mark.parametrize("before", [b"", b"\n", b"\r\n \r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_headers_line_ends_and_what_stands_before(header: str, before: bytes, line_end: bytes) -> None:
    rows = row("06/01/2024 10:05:00"), row("06/01/2024 10:05:00", "CAPITL", (".05", "-.37", "1")).replace('"', "")
    data = before + file(*rows, header=header).replace(b"\n", line_end)
    for content in (data, data.rstrip()):
        assert nyiso.claims("x", content)
        read = parse(content)
        assert read.rejects.height == 0
        low = (Decimal("0.05"), Decimal("1.42"), Decimal(-1), Decimal("-0.37"))
        assert amounts(read) == [PRICE, low]


@pytest.mark.parametrize("before", [b'""\n', b'"\xef\xbb\xbf"'])
def test_quotes_alone_are_no_header(before: bytes) -> None:
    read = parse(before + file(row("06/01/2024 10:05:00")), market="nyiso")
    assert (amounts(read), read.rejects.height) == ([PRICE], 0)


def test_a_price_of_a_file() -> None:
    (tick,) = parse(file(row("06/01/2024 10:05:00"))).ticks.to_dicts()
    end = datetime(2024, 6, 1, 14, 5, tzinfo=UTC)
    assert tick == {
        "market": "nyiso", "product": "rt_5min", "location": "N.Y.C.", "location_type": "zone",
        "instrument": "nyiso.rt_5min.N.Y.C.", "ts": end, "start": end - FIVE, "end": end, "hold_end": end,
        **dict(zip(AMOUNTS, PRICE, strict=True)), "ghg": None, "volume": None, "derived": True,
        "location_name": None, "version": 0, "row": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "ptid", "kind"),
    [("HUD VL", 61758, "zone"), ("H Q", 61844, "zone"), ("59TH STREET_GT_1", 24138, "generator"),
     ("N.Y.C.", 23512, "generator"), ("BETHLEHEM___GS1", 323570, "generator")],
)  # fmt: skip
def test_the_point_tells_zones_from_generators(name: str, ptid: int, kind: str) -> None:
    read = parse(file(row("06/01/2024 10:05:00", name, ptid=ptid), row("06/01/2024 10:05:00", f" {name} ", ptid=ptid)))
    assert read.ticks.select("location", "location_type").rows() == [(name, kind)] * 2


@pytest.mark.parametrize(
    ("name", "product", "stamp", "expected"),
    [(DAY_AHEAD, None, "10:00", "da_hourly"), ("20240601damlbmp_gen.csv", "da_hourly", "10:00:00", "da_hourly"),
     (HOURS, None, "10:00", "rt_hourly"), ("x.csv", "rt_hourly", "10:00", "rt_hourly"),
     ("-", "da_hourly", "10:00", "da_hourly"), (DAY, None, "10:00:00", "rt_5min"), ("-", None, "10:05:00", "rt_5min"),
     ("realtime_zone_lbmp.csv", None, "10:05:00", "rt_5min"), ("-", "rt_5min", "10:00:00", "rt_5min"),
     ("20240601hamlbmp_zone.csv", None, "10:15:00", "rtc_15min"), ("-", "rtc_15min", "10:15:00", "rtc_15min")],
)  # fmt: skip
def test_name_product_and_stamps_tell_what_a_file_is(name: str, product: str | None, stamp: str, expected: str) -> None:
    ticks = parse(file(row(f"06/01/2024 {stamp}")), name, product).ticks
    assert ticks["product"].to_list() == [expected]


@pytest.mark.parametrize(
    ("data", "name", "product", "word"),
    [(file(row("06/01/2024 10:00")), "x.csv", None, "name the product"),
     (file(row("06/01/2024 10:00:00")), "-", None, "keep NYISO's file name"),
     (file(row("06/01/2024 10:00")), DAY_AHEAD, "rt_hourly", "of da_hourly, not of rt_hourly"),
     (file(row("06/01/2024 10:00")), DAY_AHEAD, "x", "none of NYISO's"),
     (file(*stamps("10:05", "10:10")), DAY_AHEAD, None, "off the hour"),
     (file(*stamps("10:05", "10:10")), "-", "rt_hourly", "off the hour"),
     (file(*stamps("10:00", "11:00")), DAY, None, "on the hour"),
     (file(), DAY, None, "no data row"), (b"<html>busy</html>", DAY, None, "web page"),
     (file(row("06/01/2024 10:05:00", amounts=("", "", ""))), DAY, None, "holds no price"),
     (file(header='"Time Stamp","Time Zone","Name","PTID","Load"'), DAY, None, "each of price, losses, congestion"),
     (file(header=PLAIN + ",LBMP"), DAY, None, "each of price"), (b"", DAY, None, "empty"),
     (file(header="RTC Execution Time,RTC End Time Stamp,RTC Timestep,Gen Name,Gen PTID,Gen LBMP,CTS"), DAY, None,
      "each of losses, congestion; send damlbmp")],
)  # fmt: skip
def test_whole_refusals(data: bytes, name: str, product: str | None, word: str) -> None:
    with pytest.raises(DataProcessingError, match=word):
        parse(data, name, product, "nyiso")


def test_claims() -> None:
    for ours in ("Time Stamp,Time Zone,Name,PTID,Load", '"Eastern Date Hour","x"', "RTC Execution Time,x"):
        assert nyiso.claims("x", ours.encode())
        with pytest.raises(DataProcessingError, match="no file of LBMP"):
            parse(ours.encode(), "x")
    for other in (b"", b"a,b\n1,2", making.oasis(*making.interval())):
        assert not nyiso.claims(DAY, other)
    assert not caiso.claims(DAY, file(row("06/01/2024 10:05:00")))


# Rows that cannot be read


GOOD = [row(f"06/01/2024 10:{minute}:00") for minute in ("05", "10", "15")]
LBMP, LOSSES, CONGESTION = PLAIN.split(",")[3:]


@pytest.mark.parametrize(
    ("bad", "field", "value"),
    [(row("06/01/2024 10:07:00", amounts=("x", "1", "1")), LBMP, "x"),
     (row("06/01/2024 10:07:00", amounts=("1", "1..2", "1")), LOSSES, "1..2"),
     (row("06/01/2024 10:07:00", amounts=("1", "1", "inf")), CONGESTION, "inf"),
     (row("06/01/2024 10:07:00", amounts=("1e30", "1", "1")), LBMP, "1e30"),
     (row("06/01/2024 10:07:00", amounts=("999999999", "-1", "0")), LBMP, "999999999"),
     (row("06/01/2024 10:07:00", amounts=("", "x", "0")), LOSSES, "x"),
     (row("06/01/2024 10:07:60"), "Time Stamp", "06/01/2024 10:07:60"), (row("now"), "Time Stamp", "now"),
     (row("13/01/2024 10:07:00"), "Time Stamp", "13/01/2024 10:07:00"), (row(""), "Time Stamp", ""),
     (row("06/01/2124 10:07:00"), "Time Stamp", "06/01/2124 10:07:00"),
     (row("06/01/2024 24:00:00"), "Time Stamp", "06/01/2024 24:00:00"),
     (row("06/01/2024 10:07:00", ""), "Name", ""), (row("06/01/2024 10:07:00", ptid="x"), "PTID", "x"),
     ("a,b", "row", "a,b"), ('"' + GOOD[0], "row", '"' + GOOD[0])],
)  # fmt: skip
def test_a_broken_row_is_refused_while_others_live(bad: str, field: str, value: str) -> None:
    read = parse(file(GOOD[0], bad, *GOOD[1:]))
    assert problems(read) == [(2, field, value)]
    assert read.ticks["row"].to_list() == [1, 3, 4]
    assert markets.parse(Document(file(GOOD[0], bad), DAY)).rows == 2


def test_hours_off_the_hour_and_quarters_off_the_quarter_are_refused() -> None:
    hours = file(*(row(f"06/01/2024 {time}") for time in ("10:00", "11:00", "12:30")))
    assert problems(parse(hours, DAY_AHEAD)) == [(3, "Time Stamp", "06/01/2024 12:30")]
    quarters = file(*stamps("10:15", "10:30", "10:40", names=["N.Y.C."]))
    assert problems(parse(quarters, "20240601hamlbmp_zone.csv")) == [(3, "Time Stamp", "06/01/2024 10:40:00")]


def test_a_version_that_is_no_number_is_refused() -> None:
    rows = [f"2024/06/01 00:{minute}:00,N.Y.C.,61761,1,1,1,{version}" for minute, version in ((30, "2"), (45, "x"))]
    read = parse(export("RTC", rows=(*rows,)), "x")
    assert problems(read) == [(2, "RTC Zonal Price Version", "x")]
    assert read.ticks["version"].to_list() == [2]


@pytest.mark.parametrize("nothing", ["", " ", "NaN", "nan", "N/A", "-"])
def test_a_missing_price_is_a_gap_and_a_missing_part_is_null(nothing: str) -> None:
    rows = [
        row("06/01/2024 10:10:00", amounts=each)
        for each in ((nothing, "1", "1"), ("1", nothing, "1"), ("1", "1", nothing))
    ]
    read = parse(file(GOOD[0], *rows, GOOD[2]))
    assert read.rejects.height == 0
    assert read.ticks["row"].to_list() == [1, 3, 4, 5]
    assert amounts(read)[1:3] == [(1, None, -1, None), (1, None, None, 1)]


def test_a_broken_row_keeps_its_stamp_for_the_next_interval() -> None:
    broken = row("06/01/2024 10:07:00", amounts=("x", "1", "1"))
    assert minutes(parse(file(GOOD[0], broken, GOOD[1])))[1] == ("rt_5min", "10:07:00", "10:10:00")


def test_daily_files_of_an_archive_are_read_on_their_own() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for day in ("05/31/2024", "06/01/2024"):
            rows = [row(f"{day} {hour:02}:00", name) for hour in range(24) for name in ("CAPITL", "N.Y.C.")]
            archive.writestr(f"{day[6:]}{day[:2]}{day[3:5]}damlbmp_zone.csv", file(*rows, header=PLAIN))
    read = parse(packed.getvalue(), "20240501damlbmp_zone_csv.zip")
    assert (read.documents, read.ticks.height, read.rejects.height) == (2, 96, 0)
    assert read.ticks["row"].to_list() == list(range(1, 97))


FIXTURE = file(*stamps("10:05", "10:07:30", "10:10", "10:15", "10:30"))


@given(
    st.lists(st.tuples(st.integers(0, len(FIXTURE) - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(FIXTURE))
)
def test_mutated_files_lose_no_row(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(FIXTURE)
    for at, byte in changes:
        data[at] = byte
    mutated = bytes(data[:cut]) if cut % 3 == 0 else bytes(data)
    try:
        read = parse(mutated, market="nyiso")
    except DataProcessingError:
        return  # refused as a whole
    lines = mutated.decode(errors="replace").removeprefix("\ufeff").replace("\r\n", "\n").lstrip().split("\n")[1:]
    held = {number for number, line in enumerate(lines, 1) if line.strip()}
    refused, ticks = read.rejects["row"].to_list(), read.ticks["row"].to_list()
    assert len(refused + ticks) == len({*refused, *ticks})
    missing = held - {*refused, *ticks}
    assert {*refused, *ticks} <= held
    for number in missing:
        cells = next(csv.reader([lines[number - 1]]))
        assert cells[3].strip().lower() in ("", "nan", "n/a", "-")
