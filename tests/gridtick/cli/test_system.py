"""The system that `send` and `verify` work on."""

import socket
from pathlib import Path

import pytest

from gridtick.cli import system
from local import state
from pipeline.errors import DataProcessingError
from service.settings import load


def test_the_folder_says_where_it_is_and_the_user_leads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DATA_PROC_KAFKA_BOOTSTRAP", raising=False)
    running = {"DATA_PROC_KAFKA_BOOTSTRAP": "127.0.0.1:21001", "DATA_PROC_API_PORT": "21002"}
    with state.DataDirLock(tmp_path):
        state.write(state.StackState(1, str(tmp_path), True, running, {}))
        assert system.settings_of(tmp_path).kafka.bootstrap == "127.0.0.1:21001"
        monkeypatch.setenv("DATA_PROC_KAFKA_BOOTSTRAP", "elsewhere:9092")
        found = system.settings_of(tmp_path)
    assert (found.kafka.bootstrap, found.api.port) == ("elsewhere:9092", 21002)


def test_without_a_system_the_settings_are_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATA_PROC_KAFKA_BOOTSTRAP", "elsewhere:9092")
    assert system.settings_of(tmp_path).kafka.bootstrap == "elsewhere:9092"


@pytest.mark.stack
def test_a_kafka_that_is_away_is_one_sentence_with_all_ways_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"127.0.0.1:{server.getsockname()[1]}"
    settings = load({"DATA_PROC_KAFKA_BOOTSTRAP": nobody})
    with pytest.raises(DataProcessingError, match=nobody) as caught:
        system.reached_kafka(settings, tmp_path)
    for way in ("gridtick up", "--data-dir", "DATA_PROC_DATA_DIR", "DATA_PROC_KAFKA_BOOTSTRAP", str(tmp_path)):
        assert way in caught.value.message
    assert capfd.readouterr().err == ""
