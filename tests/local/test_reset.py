from pathlib import Path

import pytest

from local.reset import clear
from local.state import DataDirLock
from pipeline.errors import DataProcessingError


def _data(folder: Path) -> None:
    for name in ("kafka", "clickhouse", "secrets", "backfill", "mine"):
        (folder / name).mkdir()
        (folder / name / "file").touch()
    (folder / "ports.json").touch()


def test_only_what_the_stack_stored_is_deleted(tmp_path: Path) -> None:
    _data(tmp_path)
    assert sorted(clear(tmp_path)) == ["backfill", "clickhouse", "kafka", "ports.json", "secrets"]
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert clear(tmp_path / "absent") == []


def test_a_running_stack_keeps_its_data(tmp_path: Path) -> None:
    _data(tmp_path)
    with DataDirLock(tmp_path), pytest.raises(DataProcessingError, match="runs on"):
        clear(tmp_path)
    assert (tmp_path / "kafka" / "file").exists()
