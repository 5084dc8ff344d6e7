import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import state
from local.paths import private_folder, secret, write_secret
from pipeline.errors import DataProcessingError

_HOLDER = """
import sys, time
from pathlib import Path
from local.state import DataDirLock
with DataDirLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def _state(folder: Path) -> state.StackState:
    files = {"DATA_PROC_REDIS_URL": str(folder / "url")}
    return state.StackState(os.getpid(), str(folder), True, {"DATA_PROC_ENV": "test"}, files, {"redis": 1})


def test_a_second_stack_is_refused_and_a_dead_one_is_no_hindrance(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DataProcessingError, match="gridtick down"), state.DataDirLock(tmp_path):
            pass
        assert state.DataDirLock(tmp_path).is_held()
        holder.kill()
    with state.DataDirLock(tmp_path):
        assert state.DataDirLock(tmp_path).is_held()
    assert not state.DataDirLock(tmp_path).is_held()


def test_the_state_of_a_stack_that_died_is_not_read(tmp_path: Path) -> None:
    state.write(_state(tmp_path))
    assert state.read(tmp_path) is None
    with state.DataDirLock(tmp_path):
        assert state.read(tmp_path) == _state(tmp_path)
    assert state.read(tmp_path / "absent") is None


def test_secrets_are_in_their_files_only(tmp_path: Path) -> None:
    write_secret(tmp_path / "url", "redis://:hidden@127.0.0.1/0")
    state.write(_state(tmp_path))
    assert "hidden" not in (tmp_path / "stack.json").read_text()
    assert _state(tmp_path).variables() == {
        "DATA_PROC_ENV": "test", "DATA_PROC_REDIS_URL": "redis://:hidden@127.0.0.1/0",
    }  # fmt: skip


def test_a_secret_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    made = secret(tmp_path, "pepper")
    path = tmp_path / "secrets" / "pepper"
    assert len(made) >= 32
    assert made == secret(tmp_path, "pepper") != secret(tmp_path, "other")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    private_folder(tmp_path / "open")
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o700


def test_replacing_a_secret_closes_a_file_that_was_open(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("old")
    (tmp_path / "s").chmod(0o644)
    write_secret(tmp_path / "s", "new")
    assert (tmp_path / "s").read_text() == "new\n"
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600
