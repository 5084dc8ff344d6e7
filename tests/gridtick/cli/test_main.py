import os
import subprocess
import sys
from pathlib import Path


def _gridtick(folder: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    plain = {name: value for name, value in os.environ.items() if not name.startswith("DATA_PROC_")}
    command = [sys.executable, "-m", "gridtick.cli.main", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**plain, **environ}, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_refusal_is_one_sentence_on_standard_error(tmp_path: Path) -> None:
    done = _gridtick(tmp_path, "reset")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("gridtick: This deletes all data in ")
    assert done.stderr.count("\n") == 1


def test_a_wrong_option_is_wrong_use(tmp_path: Path) -> None:
    assert _gridtick(tmp_path, "down", "--frobnicate").returncode == 2


def test_a_misspelt_setting_stops_the_start(tmp_path: Path) -> None:
    done = _gridtick(tmp_path, "up", "--feed", "none", DATA_PROC_API_PROT="1")
    assert done.returncode == 2
    assert "Did you mean DATA_PROC_API_PORT?" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_running_is_said(tmp_path: Path) -> None:
    assert _gridtick(tmp_path, "down").returncode == 0
    done = _gridtick(tmp_path, "status")
    assert done.returncode == 1
    assert "gridtick up" in done.stdout


def test_every_setting_is_listed_without_services(tmp_path: Path) -> None:
    done = _gridtick(tmp_path, "doctor", "--settings")
    assert done.returncode == 0
    assert "DATA_PROC_KAFKA_BOOTSTRAP" in done.stdout
