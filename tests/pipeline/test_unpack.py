import gzip
import io
import tracemalloc
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DataProcessingError
from pipeline.unpack import unpack

MIB = 1024 * 1024


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, method)
    return packed.getvalue()


def gzipped(content: bytes) -> bytes:
    """Without the time of day: the names of tests are made of these bytes, and must be those of every process."""
    return gzip.compress(content, mtime=0)


def test_plain_zip_gzip_and_one_nesting() -> None:
    assert unpack(b"text", "a.csv") == [("a.csv", b"text")]
    assert unpack(zipped({"a": b"1", "b": b"2"}), "z.zip") == [("a", b"1"), ("b", b"2")]
    assert unpack(gzipped(b"1") + gzipped(b"2"), "a.csv.gz") == [("a.csv", b"12")]
    assert unpack(zipped({"a.gz": gzipped(b"1"), "b": b"2"}), "z") == [("a", b"1"), ("b", b"2")]
    assert unpack(gzipped(zipped({"a": b"1"})), "z.gz") == [("a", b"1")]


@pytest.mark.parametrize(
    ("data", "word"),
    [(b"", "empty"), (zipped({}), "no file"), (zipped({"a": b""}), "empty"), (gzipped(b""), "empty"),
     (zipped({"a": zipped({"b": zipped({"c": b"1"})})}), "nested"), (zipped({"a": b"1" * 999})[:-30], "corrupt"),
     (zipped({"a": b"1"}) + zipped({"b": b"2"}), "before its first file"),
     (zipped({"a": b"1"}) + b"x", "behind its end"),
     (gzipped(b"1") + b"x", "behind the gzip's end"), (gzipped(b"") * 10_001, "more than 10000 parts"),
     (gzipped(b"1" * 999)[:-9], "cut off"), (gzipped(b"1" * 99)[:-1] + b"\xff", "corrupt"),
     (zipped({"a": b"1"}, zipfile.ZIP_BZIP2), "method"), (zipped({str(n): b"1" for n in range(1001)}), "more than")],
)  # fmt: skip
def test_refused_with_a_reason(data: bytes, word: str) -> None:
    with pytest.raises(DataProcessingError, match=word):
        unpack(data, "doc")


def test_encrypted() -> None:
    data = bytearray(zipped({"a": b"1"}))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + at] |= 1
    with pytest.raises(DataProcessingError, match="encrypted"):
        unpack(bytes(data), "doc")


@pytest.mark.parametrize("data", [zipped({"a": b"x" * 1000}), gzipped(b"x" * 1000)])
def test_the_limit_holds_to_the_byte(data: bytes) -> None:
    assert unpack(data, "d", limit=1000)[0][1] == b"x" * 1000
    with pytest.raises(DataProcessingError, match="beyond 999 bytes"):
        unpack(data, "d", limit=999)


@pytest.mark.parametrize("lying", [False, True])
@pytest.mark.parametrize("kind", ["zip", "gzip"])
def test_a_bomb_is_refused_without_unpacking_it(kind: str, lying: bool) -> None:
    bomb = b"\0" * (64 * MIB)
    data = bytearray(zipped({"a": bomb}) if kind == "zip" else gzipped(bomb))
    if lying and kind == "zip":
        for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            place = data.index(signature) + at
            data[place : place + 4] = (100).to_bytes(4, "little")
    tracemalloc.start()
    try:
        with pytest.raises(DataProcessingError):
            unpack(bytes(data), "d", limit=MIB)
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


def test_a_bad_member_is_an_error_beside_the_others() -> None:
    good, bad = zipped({"a": b"1"}), zipped({"a": b"1" * 999})[:-30]
    found = unpack(zipped({"empty": b"", "a": b"1", "bad.zip": bad, "b.zip": good}), "z")
    assert [name for name, _ in found] == ["empty", "a", "bad.zip", "a"]
    assert [isinstance(content, bytes) for _, content in found] == [False, True, False, True]


def test_a_damaged_member_is_an_error_beside_the_others() -> None:
    data = bytearray(zipped({"a": b"1" * 99, "b": b"2"}, zipfile.ZIP_STORED))
    data[data.index(b"1" * 99)] ^= 1
    (_, error), b = unpack(bytes(data), "z")
    assert "corrupt" in str(error)
    assert b == ("b", b"2")


def test_no_member_may_pass_the_limit() -> None:
    with pytest.raises(DataProcessingError, match="beyond 9 bytes"):
        unpack(zipped({"a": b"1", "b.gz": gzipped(b"2" * 9)}), "z", limit=9)


def test_zero_bytes_behind_a_gzip_are_padding() -> None:
    assert unpack(gzipped(b"1") + bytes(99), "a.gz") == [("a", b"1")]


def test_a_gzip_of_many_parts_is_read_in_one_go() -> None:
    parts = [bytes([number % 256]) * (number % 100_000) for number in range(1, 9_000, 7)]
    assert unpack(b"".join(map(gzipped, parts)), "a.gz") == [("a", b"".join(parts))]


@given(st.data())
def test_a_damaged_archive_gives_documents_or_a_reason(data: st.DataObject) -> None:
    good = bytearray(data.draw(st.sampled_from([zipped({"a": b"12" * 99}), gzipped(b"12" * 99)])))
    for at in data.draw(st.lists(st.integers(0, len(good) - 1), max_size=4)):
        good[at] = data.draw(st.integers(0, 255))
    try:
        found = unpack(bytes(good), "d", limit=MIB)
    except DataProcessingError:
        return  # any other error fails the test
    assert all(isinstance(content, bytes) and content for _, content in found)


def spreadsheet(value: str) -> bytes:
    made, held = openpyxl.Workbook(), io.BytesIO()
    made.worksheets[0]["A1"] = value
    made.save(held)
    return held.getvalue()


def test_a_workbook_is_one_document_a_sheet_and_no_archive() -> None:
    book = spreadsheet("x")
    assert unpack(book, "b.xlsx") == [("b.xlsx, sheet Sheet", b"x\n")]
    assert unpack(gzipped(book), "b.xlsx.gz") == [("b.xlsx, sheet Sheet", b"x\n")]
    packed = zipped({"b.xlsx": book, "a": b"1", "c.zip": zipped({"c.xlsx": spreadsheet("y")})}, zipfile.ZIP_STORED)
    assert unpack(packed, "z.zip") == [
        ("b.xlsx, sheet Sheet", b"x\n"), ("a", b"1"), ("c.xlsx, sheet Sheet", b"y\n"),
    ]  # fmt: skip


def test_a_broken_workbook_is_an_error_beside_the_others() -> None:
    (name, error), a = unpack(zipped({"b.xlsx": spreadsheet("x")[:-40], "a": b"1"}), "z")
    assert (name, a) == ("b.xlsx", ("a", b"1"))
    assert "corrupt" in str(error)


def test_a_workbook_hides_nothing() -> None:
    with pytest.raises(DataProcessingError, match="behind its end"):
        unpack(spreadsheet("x") + b"y", "b.xlsx")
    with pytest.raises(DataProcessingError, match="1001 parts"):
        unpack(zipped({"xl/workbook.xml": b"x", **{str(n): b"1" for n in range(1000)}}), "b.xlsx")
