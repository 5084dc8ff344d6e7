"""Which workers a program of some settings runs."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from service.settings import load
from workers import beside

QUEUES, PROCESSES = "DATA_PROC_CELERY_QUEUES", "DATA_PROC_CELERY_CONCURRENCY"


@pytest.mark.parametrize(
    ("environ", "split"),
    [({}, True), ({PROCESSES: "1"}, False), ({QUEUES: "aggregate"}, False), ({PROCESSES: "5"}, True)],
)
def test_who_serves_everything_by_several_processes_has_others_for_what_takes_long(
    environ: Mapping[str, str], split: bool
) -> None:
    assert beside.is_split(load(environ)) is split


class Program:
    """One that runs until it is told to end, or ends by itself."""

    def __init__(self, command: list[str], env: Mapping[str, str]) -> None:
        self.command, self.env = command, env
        self.ended = threading.Event()
        self.terminate = self.ended.set

    def wait(self) -> None:
        assert self.ended.wait(10)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    programs = list[Program]()

    def popen(command: list[str], env: Mapping[str, str]) -> Any:
        programs.append(Program(command, env))
        return programs[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setenv(QUEUES, "")
    monkeypatch.setattr(beside, "worker_shutting_down", beside.worker_shutting_down.__class__())
    return programs


def test_one_serves_bars_and_the_other_prices(started: list[Program]) -> None:
    with beside.bars_beside(load({PROCESSES: "4"})):
        [program] = started
        assert os.environ[QUEUES] == "enrich,normalize"
        assert not program.ended.is_set()
    assert program.ended.is_set()
    assert program.command == [sys.executable, "-m", "workers.serve", "beside"]
    assert {name: program.env[name] for name in (QUEUES, PROCESSES)} == {QUEUES: "project,aggregate", PROCESSES: "2"}


def test_neither_goes_on_without_the_other(started: list[Program], monkeypatch: pytest.MonkeyPatch) -> None:
    killed = threading.Event()

    def kill(*_: int) -> None:
        killed.set()

    monkeypatch.setattr(os, "kill", kill)
    with beside.bars_beside(load({})):
        started[0].ended.set()
        assert killed.wait(10)


def test_no_program_is_started_where_one_is_enough(started: list[Program]) -> None:
    with beside.bars_beside(load({PROCESSES: "1"})):
        assert os.environ[QUEUES] == ""
    assert started == []
