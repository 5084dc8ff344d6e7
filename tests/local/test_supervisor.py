import os
import signal
import sys
from pathlib import Path

import pytest

from local.process import Program
from local.supervisor import Patience, Supervisor
from pipeline.errors import DataProcessingError
from tests.local.test_process import gone
from tests.polling import until

_STAYS = "import time; time.sleep(60)"
_QUICK = Patience(deaths=3, within=60, first_wait=0.01, longest_wait=0.02)


def _program(name: str, code: str, tmp_path: Path, ready_within: float = 20, once: bool = False) -> Program:
    mark = tmp_path / f"{name}.ready"
    begin = f"open({str(mark)!r}, 'w').close()\n"
    command = [sys.executable, "-c", begin + code]
    return Program(name, command, tmp_path, tmp_path / f"{name}.log", mark.exists, ready_within=ready_within, once=once)


def test_start_waits_for_all_and_stop_leaves_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    supervisor.start([_program("a", _STAYS, tmp_path), _program("b", _STAYS, tmp_path)])
    pids = supervisor.pids()
    assert set(pids) == {"a", "b"}
    assert sorted(line.split()[0] for line in said) == ["a", "b"]
    supervisor.stop()
    assert all(gone(pid) for pid in pids.values())
    assert supervisor.pids() == {}


def test_the_last_started_stops_first(tmp_path: Path) -> None:
    code = """
import signal, sys, time
def end(*_):
    print(time.monotonic_ns(), flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
open("NAME.ready", "w").close()
time.sleep(60)
"""
    supervisor = Supervisor(lambda _: None)
    for name in ("server", "client"):
        command = [sys.executable, "-c", code.replace("NAME", name)]
        supervisor.start(
            [Program(name, command, tmp_path, tmp_path / f"{name}.log", (tmp_path / f"{name}.ready").exists)]
        )
    supervisor.stop()
    assert int((tmp_path / "client.log").read_text()) < int((tmp_path / "server.log").read_text())


def test_one_that_ends_while_starting_is_named_with_its_words(tmp_path: Path) -> None:
    failing = Program(
        "kaputt",
        [sys.executable, "-c", "import sys; sys.exit('no such hat')"],
        tmp_path,
        tmp_path / "k.log",
        lambda: False,
    )
    supervisor = Supervisor(lambda _: None)
    try:
        with pytest.raises(DataProcessingError, match=r"kaputt ended while it was starting.*no such hat"):
            supervisor.start([_program("a", _STAYS, tmp_path), failing])
        assert "a" in supervisor.pids()
    finally:
        supervisor.stop()


def test_one_that_is_never_ready_is_not_waited_for_without_end(tmp_path: Path) -> None:
    never = Program(
        "slow", [sys.executable, "-c", _STAYS], tmp_path, tmp_path / "s.log", lambda: False, ready_within=0.1
    )
    supervisor = Supervisor(lambda _: None)
    try:
        with pytest.raises(DataProcessingError, match="slow was not ready within 0 s"):
            supervisor.start([never])
    finally:
        supervisor.stop()


def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    supervisor = Supervisor(lambda _: None, _QUICK)
    supervisor.start([_program("a", _STAYS, tmp_path)])
    try:
        before = supervisor.pids()["a"]
        os.kill(before, signal.SIGKILL)
        assert supervisor.restarts() == {"a": 0}
        until(lambda: supervisor.look() and supervisor.pids().get("a", before) != before)
        assert supervisor.restarts() == {"a": 1}
    finally:
        supervisor.stop()


def test_one_that_dies_again_and_again_stops_everything_with_a_word(tmp_path: Path) -> None:
    supervisor = Supervisor(lambda _: None, _QUICK)
    supervisor.start([_program("a", _STAYS.replace("60", "0.05") + "\nraise SystemExit('out of cheese')", tmp_path)])
    try:
        with pytest.raises(DataProcessingError, match=r"a died 3 times.*out of cheese"):
            until(lambda: supervisor.look() and False)
    finally:
        supervisor.stop()


def test_without_room_on_the_disk_nothing_is_started_again_and_no_death_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, said = [True], list[str]()
    monkeypatch.setattr("local.supervisor._ROOM_AGAIN", 0.01)
    supervisor = Supervisor(said.append, Patience(deaths=1, within=60), room=lambda: room[0])
    supervisor.start([_program("a", _STAYS, tmp_path)])
    try:
        room[0] = False
        os.kill(supervisor.pids()["a"], signal.SIGKILL)
        until(lambda: supervisor.look() and "the disk is full" in said[-1])
        assert not any(supervisor.look() for _ in range(50))
        room[0] = True
        until(supervisor.look)
        assert supervisor.pids().keys() == supervisor.restarts().keys() == {"a"}
    finally:
        supervisor.stop()


def test_one_that_may_end_is_not_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append, _QUICK)
    supervisor.start([_program("feed", "", tmp_path, once=True)])
    try:
        until(lambda: supervisor.look() or any("finished" in line for line in said))
        assert supervisor.pids() == {}
        assert not supervisor.look()
        assert sum("feed" in line for line in said) == 2
    finally:
        supervisor.stop()


def test_the_last_group_can_be_stopped_alone(tmp_path: Path) -> None:
    supervisor = Supervisor(lambda _: None)
    supervisor.start([_program("server", _STAYS, tmp_path)])
    supervisor.start([_program("client", _STAYS, tmp_path)])
    supervisor.stop_last()
    assert set(supervisor.pids()) == {"server"}
    supervisor.stop()
