from pathlib import Path

import pytest

from local import doctor
from local.doctor import Finding


def _found(data_dir: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in doctor.findings(data_dir)}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {"PATH": "/usr/bin:/bin"})


def test_every_look_is_made_and_a_port_in_use_is_no_fault(tmp_path: Path) -> None:
    found = _found(tmp_path / "not" / "yet")
    assert {"Python", "disk", "memory", "Java", "Kafka's JARs", "PostgreSQL", "Redis", "settings"} < found.keys()
    assert found["Python"].fine
    assert found["PostgreSQL"].fine
    assert found["port of API"].fine


def test_a_wrong_setting_is_named_with_its_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {"PATH": "/bin", "DATA_PROC_API_PROT": "1"})
    found = _found(tmp_path)["settings"]
    assert not found.fine
    assert "DATA_PROC_API_PORT" in found.fix


def test_too_little_room_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_DISK", 2**62)
    monkeypatch.setattr(doctor, "_MEMORY", 2**62)
    found = _found(tmp_path)
    assert "2 GiB" in found["disk"].fix
    assert "3 GiB" in found["memory"].fix


@pytest.mark.stack
def test_a_server_that_does_not_answer_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {"PATH": "/bin", "DATA_PROC_REDIS_URL": "redis://127.0.0.1:1/0"})
    assert _found(tmp_path)["DATA_PROC_REDIS_URL"].said == "does not answer"
