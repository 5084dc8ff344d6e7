import io
import re
import struct
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import workbook
from pipeline.errors import DataProcessingError
from pipeline.unpack import unpack

SHEET, TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
Rows = Sequence[Sequence[Any]]


def book(**sheets: Rows) -> bytes:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    held = io.BytesIO()
    made.save(held)
    return held.getvalue()


def packed(parts: Mapping[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return held.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(content: bytes, part: str, old: str, new: str) -> bytes:
    """A workbook with what is found in one part replaced throughout; something must be."""
    parts = unpacked(content)
    parts[part], count = re.subn(old.encode(), new.encode(), parts[part])
    assert count
    return packed(parts)


def sharing(texts: str, shown: Sequence[int]) -> bytes:
    """A workbook of one column whose cells show these of the shared texts."""
    rows = (f'<row r="{n}"><c r="A{n}" t="s"><v>{index}</v></c></row>' for n, index in enumerate(shown, 1))
    content = changed(book(a=[[1]]), SHEET, "<sheetData>.*</sheetData>", f"<sheetData>{''.join(rows)}</sheetData>")
    return packed({**unpacked(content), TEXTS: f'<?xml version="1.0"?><sst>{texts}</sst>'.encode()})


def text(content: bytes) -> str:
    """The CSV of the only sheet."""
    ((_, data),) = unpack(content, "book.xlsx")
    assert isinstance(data, bytes)
    return data.decode()


def cell(value: Any) -> str:
    return text(book(a=[["x", value]])).removeprefix("x,").removesuffix("\n")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(23.420000000000002, "23.42"), (0.1 + 0.2, "0.3"), (-0.1 - 0.2, "-0.3"), (2348.76, "2348.76"), (100, "100"),
     (5.0, "5"), (1e-7, "0.0000001"), (1e21, "1000000000000000000000"), (123456789012345, "123456789012345"),
     (1234567.891234567, "1234567.89123457"), (-33.94, "-33.94"), (1 / 3, "0.333333333"),
     (9999999999999998.0, "10000000000000000"), (True, "true"), ("01:00", "01:00"), (" 28.4", " 28.4"),
     ("12345678901234567890x", "12345678901234567890x"),
     (datetime(2024, 3, 10, 4, 5, 6), "2024-03-10 04:05:06"), (date(2024, 3, 10), "2024-03-10 00:00:00"),  # noqa: DTZ001
     (time(1), "01:00:00"), ("a,b", '"a,b"'), ('a"b', '"a""b"'), ("a\nb", "a b"), ("#N/A", ""), ("é", "é"),
     ("1899-12-31 is long", "1899-12-31 is long")],
)  # fmt: skip
def test_a_cell_as_a_spreadsheet_shows_it(value: Any, shown: str) -> None:
    assert cell(value) == shown


def test_lines_are_those_of_the_sheet() -> None:
    rows = [[None], [None], ["Title"], [], ["a", "b"], [None, None], [1, None], [None, "x"]]
    assert text(book(a=rows)) == "\n\nTitle,\n\na,b\n\n1,\n,x\n"
    assert text(book(a=[["a"], [None], ["b"]])) == "a\n\nb\n"


def test_every_sheet_is_a_document_but_empty_ones() -> None:
    found = unpack(book(Jan=[["a"]], None_=[], Feb=[["b"], [1.5]]), "y.xlsx")
    assert found == [("y.xlsx, sheet Jan", b"a\n"), ("y.xlsx, sheet Feb", b"b\n1.5\n")]


def test_dates_and_texts_that_other_writers_leave() -> None:
    content = book(a=[["x", 1.5]])
    iso = changed(content, SHEET, r'<c r="B1"[^>]*><v>1.5</v>', '<c r="B1" t="d"><v>2024-03-10T04:05:06</v>')
    assert text(iso) == "x,2024-03-10T04:05:06\n"
    rich = "<is><r><t>a</t></r><r><t>b</t></r></is>"
    assert text(changed(content, SHEET, r'<c r="B1"[^>]*><v>1.5</v>', f'<c r="B1" t="inlineStr">{rich}')) == "x,ab\n"
    assert text(changed(content, SHEET, r' r="[AB]?1"', "")) == "x,1.5\n"  # cells may lack their addresses


# What is refused


@pytest.mark.parametrize(
    ("content", "word"),
    [(book(a=[]), "is empty"), (book(a=[[1]], b=[[None]])[:-200], "corrupt"),
     (workbook.OLD + bytes(600), "old workbook"), (book(**{f"s{n}": [[1]] for n in range(101)}), "101 sheets, at most"),
     (changed(book(a=[[1]]), SHEET, "</sheetData>", "<x>"), "cannot be read"),
     (changed(book(a=[[1]]), "xl/workbook.xml", "<sheet ", "<sheet"), "empty|cannot be read"),
     (changed(book(a=[[1]]), SHEET, "<v>1</v>", "<v>x</v>"), "cannot be read")],
)  # fmt: skip
def test_refused_with_a_reason(content: bytes, word: str) -> None:
    with pytest.raises(DataProcessingError, match=word):
        unpack(content, "book.xlsx")


def test_a_time_beyond_all_bounds_is_a_refusal_though_its_reader_panics() -> None:
    content = changed(book(a=[[time(1)]]), SHEET, "<v>[^<]*</v>", "<v>-1e300</v>")
    with pytest.raises(DataProcessingError, match="cannot be read"):
        unpack(content, "book.xlsx")


def test_a_binary_workbook_is_refused() -> None:
    with pytest.raises(DataProcessingError, match="xlsb"):
        unpack(packed({"xl/workbook.bin": b"\x83\x01"}), "book.xlsb")


# Bombs: a few bytes that stand for gigabytes


@pytest.mark.parametrize("address", ["XFD1048576", "CV1048576", "XFD1", "xfd1", "A99999999999999999999", "K1048576"])
@pytest.mark.parametrize("form", ['<c r="{}"', "<c r='{}'", '<c\nr = "{}"', '<c t="n" r="{}"', '<x:c r="{}"'])
def test_cells_that_lie_too_far_apart(address: str, form: str) -> None:
    far = changed(book(a=[[1, 2]]), SHEET, r'<c r="B1"', form.format(address))
    with pytest.raises(DataProcessingError, match="more than 1000 columns or 10000000 cells"):
        unpack(far, "book.xlsx")


def test_cells_without_addresses_count_too() -> None:
    wide, tall = "<row>" + "<c><v>1</v></c>" * 900 + "</row>", "<row><c><v>1</v></c></row>" * 12_000
    content = changed(book(a=[[1]]), SHEET, "<sheetData>.*</sheetData>", f"<sheetData>{wide}{tall}</sheetData>")
    with pytest.raises(DataProcessingError, match=r"a sheet has 9\d\d columns and \d+ lines"):
        unpack(content, "book.xlsx")


def test_a_sheet_may_be_long_or_wide() -> None:
    row = '<row r="{0}"><c r="A{0}"><v>1</v></c></row>'
    content = changed(
        book(a=[[1]]), SHEET, "<sheetData>.*</sheetData>", f"<sheetData>{row.format(200_000)}</sheetData>"
    )
    assert text(content) == "\n" * 199_999 + "1\n"
    assert text(book(a=[range(1_000)])).count(",") == 999
    with pytest.raises(DataProcessingError, match="1001 columns"):
        unpack(book(a=[range(1_001)]), "book.xlsx")


@pytest.mark.parametrize(
    "shared",
    ["<si><t>{}</t></si>", "<si><t/></si><si><t>{}</t></si >", "<!--</si>--><si><t>{}</t></si>",
     "<?x </si>?><si><t>{}</t></si>", "<si><t>si>{}</t></si>", "<x:si><x:t>{}</x:t></x:si>"],
)  # fmt: skip
def test_a_text_that_many_cells_show(shared: str) -> None:
    content = sharing(shared.format("y" * 50_000), [0, 1] * 400)
    with pytest.raises(DataProcessingError, match="unpacks beyond 10000000 bytes"):
        unpack(content, "book.xlsx", limit=10_000_000)


def test_one_long_text_among_many_short_ones_is_fine() -> None:
    texts = "".join(f"<si><t>short {n}</t></si>" for n in range(7))
    content = sharing(f"<si><t>{'x' * 30_000}</t></si>{texts}", [0, *(1 + n % 7 for n in range(4_000))])
    ((_, data),) = unpack(content, "book.xlsx", limit=20_000_000)  # 4,001 cells of 30,000 bytes would be 120 million
    assert data == ("x" * 30_000 + "\n" + "".join(f"short {n % 7}\n" for n in range(4_000))).encode()


def test_the_parts_count_against_the_limit() -> None:
    content = book(a=[["x" * 30_000]])
    assert len(content) < 20_000
    with pytest.raises(DataProcessingError, match="unpacks beyond 20000 bytes"):
        unpack(content, "book.xlsx", limit=20_000)


FIXTURE = book(a=[["Delivery Date", "Price"], ["01/01/2024", 23.42], [datetime(2024, 1, 2), time(1)]])  # noqa: DTZ001
DAMAGED = (SHEET, "xl/styles.xml", "xl/workbook.xml")


@given(st.data())
def test_a_damaged_workbook_gives_documents_or_a_reason(data: st.DataObject) -> None:
    parts = unpacked(FIXTURE)
    part = data.draw(st.sampled_from(DAMAGED))
    damaged = bytearray(parts[part])
    for at in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=3)):
        damaged[at] = data.draw(st.sampled_from(list(b'<>/="0A9-e&\xff')))
    try:
        found = unpack(packed({**parts, part: bytes(damaged)}), "d")
    except DataProcessingError:
        return  # any other error fails the test
    assert all(isinstance(content, bytes) and content for _, content in found)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9), st.integers(0, 9))
def test_amounts_come_back_exactly(number: float, places: int) -> None:
    """What has at most 15 significant digits is read as it was typed."""
    typed = f"{number:.{min(places, 5)}f}"
    stored = struct.unpack("<d", struct.pack("<d", float(typed)))[0]
    assert float(cell(stored)) == float(typed)
    assert len(cell(stored).lstrip("-0.").replace(".", "")) <= 15
