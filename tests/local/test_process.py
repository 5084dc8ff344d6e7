import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from local.process import Child, Program, last_words
from tests.polling import until

_PARENT = """
import sys, time
from pathlib import Path
from local.process import Child, Program
command = [sys.executable, "-c", "import time; time.sleep(60)"]
child = Child(Program("c", command, Path("."), Path(sys.argv[1]), lambda: True))
print(child.pid, flush=True)
time.sleep(60)
"""


def python(code: str, tmp_path: Path) -> Program:
    return Program("it", [sys.executable, "-c", code], tmp_path, tmp_path / "it.log", lambda: True)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_ending_kills_what_ignores_the_signal_and_what_it_started(tmp_path: Path) -> None:
    code = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""
    child = Child(python(code, tmp_path))
    until(lambda: last_words(child.program.log).isdigit())
    grandchild = int(last_words(child.program.log))
    child.ask_to_stop()
    child.end(time.monotonic() + 0.2)
    assert child.exit_status == -signal.SIGKILL
    until(lambda: gone(grandchild))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_child_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PARENT, str(tmp_path / "child.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not gone(child)
        parent.kill()
    until(lambda: gone(child))


def test_ctrl_c_does_not_reach_the_child(tmp_path: Path) -> None:
    child = Child(python("import time; time.sleep(60)", tmp_path))
    try:
        until(lambda: psutil.Process(child.pid).exe() != "")
        assert psutil.Process(child.pid).terminal() is None
        assert subprocess.run(
            ["ps", "-o", "sid=", "-p", str(child.pid)], capture_output=True, text=True, check=True
        ).stdout.strip() == str(child.pid)
    finally:
        child.end(time.monotonic())


def test_a_failure_holds_the_last_words(tmp_path: Path) -> None:
    child = Child(python("import sys; sys.exit('the disk is made of cheese')", tmp_path))
    until(lambda: child.exit_status == 1)
    assert "the disk is made of cheese" in child.failure("ended").message


def test_a_large_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.process._LOG_LIMIT", 10)
    (tmp_path / "it.log").write_text("a log of more than ten characters")
    child = Child(python("print('new')", tmp_path))
    until(lambda: child.exit_status == 0)
    assert (tmp_path / "it.log").read_text() == "new\n"
    assert (tmp_path / "it.log.1").read_text().startswith("a log of more")


def test_a_child_is_told_what_its_command_line_must_not_hold(tmp_path: Path) -> None:
    program = replace(python("print(input())", tmp_path), told="a secret\n")
    child = Child(program)
    until(lambda: child.exit_status == 0)
    assert last_words(program.log) == "a secret"


def test_a_child_that_is_told_nothing_reads_an_end(tmp_path: Path) -> None:
    child = Child(python("import sys; print(repr(sys.stdin.read()))", tmp_path))
    until(lambda: child.exit_status == 0)
    assert last_words(child.program.log) == "''"
