from pathlib import Path

import msgspec
import pytest

from gridtick.cli.raw import files_of, messages_of
from pipeline.errors import DataProcessingError

GOOD = b'{"envelope": {"timestamp": "2024-01-01T00:00:01Z"}, "payload": {"instrument_id": "x"}}'


def test_lines_go_as_they_are_with_key_and_time(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_bytes(GOOD + b"\r\n\nnot json \xff\n" + GOOD)
    first, broken, last = messages_of(file, None, None, "public")
    assert (first.value, first.key, first.at_s) == (GOOD, b"x", 1704067201.0)
    assert (broken.value, broken.key, broken.at_s) == (b"not json \xff", None, None)
    assert last.value == GOOD
    assert sum(each.size for each in (first, broken, last)) == file.stat().st_size - 1


def test_lines_are_known_by_their_content_too(tmp_path: Path) -> None:
    file = tmp_path / "dump"
    file.write_bytes(GOOD + b"\n" + GOOD + b"\n")
    assert len(list(messages_of(file, None, None, "public"))) == 2


def test_a_document_is_one_message(tmp_path: Path) -> None:
    file = tmp_path / "20240312_PRC_LMP_DAM_v1.csv"
    file.write_bytes(b"INTERVALSTARTTIME_GMT,x\n1,2\n")
    (message,) = messages_of(file, "caiso", "da_hourly", "acme")
    said = msgspec.json.decode(message.value)
    assert said["envelope"]["tenant_id"] == "acme"
    assert (said["payload"]["market"], said["payload"]["product"]) == ("caiso", "da_hourly")
    assert said["payload"]["name"] == file.name


def test_folders_are_read_in_order_and_empty_ones_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(DataProcessingError, match="no file in"):
        files_of([tmp_path / "in"])
    for name in ("b", "a"):
        (tmp_path / "in" / name).write_text("x")
    assert [file.name for file in files_of([tmp_path / "in"])] == ["a", "b"]
