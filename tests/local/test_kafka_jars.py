import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from local import kafka_jars
from pipeline.errors import DataProcessingError

_CONTENT = b"a jar"


def _finding(found: dict[str, Path]) -> Callable[[Path], dict[str, Path]]:
    return lambda _: found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock of one JAR, and a resolver that finds that JAR."""
    lock = tmp_path / "lock"
    lock.write_text(f"# a lock\n{hashlib.sha256(_CONTENT).hexdigest()}  one.jar\n")
    (tmp_path / "one.jar").write_bytes(_CONTENT)
    monkeypatch.setattr(kafka_jars, "LOCK", lock)
    monkeypatch.setattr(kafka_jars, "fetched", lambda: tmp_path / "fetched")
    monkeypatch.setattr(kafka_jars, "_resolve", _finding({"one.jar": tmp_path / "one.jar"}))
    return tmp_path


def test_the_committed_lock_is_complete() -> None:
    locked = kafka_jars.locked()
    assert any(name.startswith("kafka_2.13-") for name in locked)
    assert len(locked) > 40
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in locked.values())
    assert "://" not in kafka_jars.LOCK.read_text()


def test_what_has_the_right_sum_is_installed_once(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not kafka_jars.present()
    folder = kafka_jars.ensure()
    assert (folder / "one.jar").read_bytes() == _CONTENT
    assert [path.name for path in (here / "fetched").iterdir()] == [folder.name]
    monkeypatch.setattr(kafka_jars, "_resolve", _finding({}))
    assert kafka_jars.ensure() == folder


@pytest.mark.parametrize("content", [b"another jar", None])
def test_a_wrong_or_missing_jar_installs_nothing(
    here: Path, content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is None:
        monkeypatch.setattr(kafka_jars, "_resolve", _finding({}))
    else:
        (here / "one.jar").write_bytes(content)
    with pytest.raises(DataProcessingError, match="SHA-256") as refused:
        kafka_jars.ensure()
    assert refused.value.context["jars"] == ["one.jar"]
    assert not kafka_jars.present()
    assert list((here / "fetched").iterdir()) == []


def test_another_lock_has_another_folder(here: Path) -> None:
    before = kafka_jars.folder()
    (here / "lock").write_text("# another\n")
    assert kafka_jars.folder() != before
