import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from gridtick.cli.raw import check, count_of, files_of, messages_of
from pipeline.errors import DataProcessingError

GOOD = b'{"envelope": {"timestamp": "2024-01-01T00:00:01Z"}, "payload": {"instrument_id": "x"}}'


def test_lines_go_as_they_are_with_key_and_time(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_bytes(GOOD + b"\r\n\nnot json \xff\n" + GOOD)
    first, broken, last = messages_of(file, None, None, None, "public")
    assert (first.value, first.key, first.at_s) == (GOOD, b"x", 1704067201.0)
    assert (broken.value, broken.key, broken.at_s) == (b"not json \xff", None, None)
    assert last.value == GOOD
    assert sum(each.size for each in (first, broken, last)) == file.stat().st_size - 1
    assert count_of(file, 1000) == 3
    assert list(messages_of(file, None, None, None, "public", skip=1)) == [broken, last]


def test_lines_are_known_by_their_content_too(tmp_path: Path) -> None:
    file = tmp_path / "dump"
    file.write_bytes(GOOD + b"\n" + GOOD + b"\n")
    assert len(list(messages_of(file, None, None, None, "public"))) == 2


def test_a_document_is_one_message(tmp_path: Path) -> None:
    file = tmp_path / "20240312_PRC_LMP_DAM_v1.csv"
    file.write_bytes(b"INTERVALSTARTTIME_GMT,x\n1,2\n")
    (message,) = messages_of(file, "caiso", "da_hourly", "acme", "public")
    said = msgspec.json.decode(message.value)
    assert said["envelope"]["tenant_id"] == "acme"
    assert (said["payload"]["market"], said["payload"]["product"]) == ("caiso", "da_hourly")
    assert said["payload"]["name"] == file.name
    assert count_of(file, 1000) == 1
    assert list(messages_of(file, "caiso", "da_hourly", "acme", "public", skip=1)) == []


def test_a_document_that_is_sent_at_an_instant_is_the_same_at_any_time(tmp_path: Path) -> None:
    file, at = tmp_path / "a.csv", datetime(2025, 1, 2, tzinfo=UTC)
    file.write_bytes(b"a,b\n")
    first, again = (next(messages_of(file, None, None, None, "public", at)) for _ in range(2))
    assert first == again
    assert msgspec.json.decode(first.value)["envelope"]["timestamp"] == "2025-01-02T00:00:00Z"


def test_folders_are_read_in_order_and_empty_ones_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(DataProcessingError, match="no file in"):
        files_of([tmp_path / "in"])
    for name in ("b", "a"):
        (tmp_path / "in" / name).write_text("x")
    assert [file.name for file in files_of([tmp_path / "in"])] == ["a", "b"]


@pytest.mark.parametrize(
    "text",
    [b"\n \r\n" + GOOD, b"\xef\xbb\xbf" + GOOD, b"\xef\xbb\xbf\n" + GOOD,
     GOOD.replace(b'"x"', b'"' + b"x" * 70_000 + b'"'), b' { "payload" : {"a": "' + b"x" * 70_000 + b'"}}'],
    ids=["blank", "bom", "both", "long", "turned"],
)  # fmt: skip
def test_lines_are_known_behind_a_mark_a_blank_line_and_by_their_beginning(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "dump"
    file.write_bytes(text + b"\n" + GOOD + b"\n")
    first, last = messages_of(file, None, None, None, "public")
    assert first.value == text.removeprefix(b"\xef\xbb\xbf").strip(b"\r\n").removeprefix(b" \r\n")
    assert last.value == GOOD


def test_a_long_line_that_is_no_envelope_is_a_document(tmp_path: Path) -> None:
    file = tmp_path / "dump"
    file.write_bytes(b"a," * 70_000)
    assert len(list(messages_of(file, None, None, None, "public"))) == 1


def test_a_line_that_is_nested_deep_goes_as_it_is(tmp_path: Path) -> None:
    file, deep = tmp_path / "a.ndjson", b'{"envelope":{},"payload":{"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}}"
    file.write_bytes(deep)
    assert [each.value for each in messages_of(file, None, None, None, "public")] == [deep]


def test_a_tenant_is_set_where_a_line_names_none(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    own = b'{"envelope": {"tenant_id": "acme"}, "payload": {}}'
    file.write_bytes(b'{"envelope":{"a":1.50},"payload":{"price": 1.10}}\n' + own)
    check(file, None, None, "acme")
    first, last = messages_of(file, None, None, "acme", "public")
    assert first.value == b'{"envelope":{"a":1.50,"tenant_id":"acme"},"payload":{"price": 1.10}}'
    assert last.value == own


OTHERS = GOOD + b'\n{"envelope": {"tenant_id": "other"}, "payload": {}}'


@pytest.mark.parametrize(
    ("text", "options", "word"),
    [(OTHERS, (None, None, "acme"), ":2 belongs to tenant 'other'"),
     (GOOD, ("caiso", None, None), "leave --market and --product away"),
     (GOOD, (None, "da_hourly", None), "leave --market and --product away"),
     (GOOD + b"\nnonsense", (None, None, "acme"), ":2 is no envelope")],
)  # fmt: skip
def test_options_that_contradict_the_lines_are_refused(
    tmp_path: Path, text: bytes, options: tuple[str | None, str | None, str | None], word: str
) -> None:
    file = tmp_path / "a.ndjson"
    file.write_bytes(text)
    with pytest.raises(DataProcessingError, match=word):
        check(file, *options)


def test_a_name_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.csv"))
    file.write_bytes(b"x")
    with pytest.raises(DataProcessingError, match="rename the file"):
        check(file, None, None, None)
    with pytest.raises(DataProcessingError, match="rename the file"):
        list(messages_of(file, None, None, None, "public"))
