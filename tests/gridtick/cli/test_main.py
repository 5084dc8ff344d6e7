import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import pytest

from tests.pipeline.making import interval, oasis


def _gridtick(
    folder: Path, *arguments: str, stdout: int | IO[str] = subprocess.PIPE, prefix: Sequence[str] = (), **environ: str
) -> "subprocess.CompletedProcess[str]":
    plain = {name: value for name, value in os.environ.items() if not name.startswith("DATA_PROC_")}
    command = [*prefix, sys.executable, "-m", "gridtick.cli.main", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**plain, **environ}, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
        text=True, timeout=60, check=False,
    )  # fmt: skip


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


@pytest.mark.parametrize("command", [["doctor", "--settings"], ["down"], ["parse", "a.csv"]])
def test_a_full_disk_is_a_sentence(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "a.csv").write_bytes(oasis(*interval()))
    with Path("/dev/full").open("w") as full:
        done = _gridtick(tmp_path, *command, stdout=full)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("gridtick: Standard output cannot be written: No space left on device.")


def test_a_closed_standard_output_is_a_sentence(tmp_path: Path) -> None:
    document = tmp_path / "a.csv"
    document.write_bytes(oasis(*interval()))
    done = _gridtick(tmp_path, "parse", str(document), prefix=("sh", "-c", 'exec "$@" >&-', "sh"))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("gridtick: Standard output is closed.")


def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone:
        done = _gridtick(tmp_path, "doctor", "--settings", stdout=gone)
    assert done.stderr == ""


@pytest.mark.parametrize("options", [[], ["--detach"]])
def test_a_feed_that_is_not_there_is_refused_before_anything_starts(tmp_path: Path, options: list[str]) -> None:
    data = tmp_path / "data"
    done = _gridtick(tmp_path, "up", "--feed", str(tmp_path / "absent"), "--data-dir", str(data), *options)
    assert done.returncode == 2
    assert "neither `demo`, `none` nor a path" in done.stderr
    assert not data.exists()


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "below"):
        done = _gridtick(tmp_path, "up", "--feed", "none", "--detach", "--data-dir", str(folder))
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert done.stderr.startswith(f"gridtick: {folder} cannot be used: Not a directory. Choose another --data-dir.")


@pytest.mark.parametrize("command", ["send", "verify"])
def test_a_folder_can_be_named_for_every_command_that_reads_one(tmp_path: Path, command: str) -> None:
    assert "--data-dir" in _gridtick(tmp_path, command, "--help", COLUMNS="200").stdout
