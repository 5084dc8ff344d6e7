"""How a run ends, and what its user is told then."""

import random
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

from gridtick.cli.backfill import run
from gridtick.cli.backfill.asked import Asked, seen
from gridtick.cli.backfill.book import Book
from gridtick.cli.backfill.journal import Journal
from gridtick.cli.backfill.stop import Stop
from gridtick.cli.backfill.view import View
from pipeline.errors import DataProcessingError
from service.settings import load
from tests.gridtick.cli.backfill.fakes import OPTIONS, FakeTopic, journal_of


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> FakeTopic:
    made = FakeTopic(random.Random(1))
    monkeypatch.setattr(run, "ConfirmedProducer", lambda *_: made)  # pyright: ignore[reportUnknownLambdaType]
    return made


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    file = tmp_path / "a.ndjson"
    file.write_bytes(b"1\n2\n3\n")
    return file


def _run(file: Path) -> Journal:
    journal = journal_of(3, asked=Asked((seen(file),), OPTIONS, "topic-1"))
    wanted = run.Wanted([file], OPTIONS, again=False, wait=False)
    return run.sent(load({}).kafka, Book(file.parent), journal, wanted, View(3, None))


def _kept(file: Path) -> Journal | None:
    return Book(file.parent).read(Asked((seen(file),), OPTIONS, "topic-1").job)


def test_a_whole_job(topic: FakeTopic, lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = _run(lines)
    assert (ended.state, ended.confirmed, _kept(lines)) == ("sent", 3, ended)
    assert capsys.readouterr().out == "3 messages of 1 files sent to t\n"


def test_a_stop_says_how_to_go_on(
    topic: FakeTopic, lines: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def stopped() -> Generator[Stop]:
        yield Stop(asked=15)

    monkeypatch.setattr(run, "stopping", stopped)
    with pytest.raises(typer.Exit) as ended:
        _run(lines)
    assert ended.value.exit_code == 143
    assert "stopped after 1 of 3 messages; the same command goes on from there" in capsys.readouterr().err


def test_a_broker_that_is_away_says_how_to_go_on(
    topic: FakeTopic, lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> dict[int, tuple[int, int]]:
        raise DataProcessingError("Kafka did not take a message.", "kafka")

    monkeypatch.setattr(topic, "flush", away)
    with pytest.raises(
        DataProcessingError, match=r"message\. \(0 of 3 messages are sent for certain; the same command"
    ):
        _run(lines)
    kept = _kept(lines)
    assert kept is not None
    assert kept.state == "sending"
