"""What is said, and what is refused, before anything is sent."""

import os
import random
from pathlib import Path

import msgspec
import pytest

from gridtick.cli.backfill.asked import Asked, seen
from gridtick.cli.backfill.begin import Beginning
from gridtick.cli.backfill.book import Book
from gridtick.cli.backfill.journal import Journal
from gridtick.cli.backfill.messages import unsent
from pipeline.errors import DataProcessingError
from service.settings import load
from tests.gridtick.cli.backfill.fakes import OPTIONS, FakeTopic

LINE = b'{"envelope": {}, "payload": {"instrument_id": "x%d"}}\n'
KAFKA = load({"DATA_PROC_KAFKA_MESSAGE_MAX_BYTES": str(2**20)}).kafka


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    file = tmp_path / "lines.ndjson"
    file.write_bytes(b"\xef\xbb\xbf\n" + b"\n".join(LINE % n for n in range(5)))
    return file


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "prices.csv"
    file.write_bytes(b"a,b\n1,2\n")
    return file


class Desk:
    """Where commands are typed."""

    def __init__(self, folder: Path) -> None:
        self.book, self.topic = Book(folder / "data"), FakeTopic(random.Random(1))

    def typed(self, *files: Path, again: bool = False) -> Journal:
        beginning = Beginning(self.book, self.topic, KAFKA, again=again)
        return beginning.journal(Asked(tuple(map(seen, files)), OPTIONS, "topic-1"), files)

    def sent(self, *files: Path, again: bool = False) -> Journal:
        journal = self.typed(*files, again=again)
        journal = msgspec.structs.replace(journal, state="sent", confirmed=journal.total)
        self.book.write(journal)
        return journal


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_new_job_knows_its_messages_and_where_the_topic_ends(desk: Desk, lines: Path, document: Path) -> None:
    desk.topic.send("t", b"of another")
    desk.topic.flush()
    journal = desk.typed(lines, document)
    assert (journal.counts, journal.state, journal.topic) == ((5, 1), "stopped", KAFKA.topic_of("backfill"))
    assert journal.spans == {partition: (end, end) for partition, end in desk.topic.ends().items()}


def test_a_stopped_job_goes_on(desk: Desk, lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = msgspec.structs.replace(desk.typed(lines), confirmed=3)
    desk.book.write(journal)
    assert desk.typed(lines) == journal
    assert f"backfill {journal.asked.job}: going on after 3 of 5 messages" in capsys.readouterr().out


def test_a_job_that_was_cut_off_asks_the_topic(desk: Desk, lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = msgspec.structs.replace(desk.typed(lines), confirmed=1, state="sending")
    desk.book.write(journal)
    for number in (2, 4):
        desk.topic.send("t", b"", b"", [journal.header(number)])
    desk.topic.flush()
    assert (desk.typed(lines).confirmed, desk.typed(lines).ahead) == (2, (4,))
    assert "going on after 3 of 5" in capsys.readouterr().out


def test_a_finished_job_says_what_to_do(desk: Desk, lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sent = desk.sent(lines)
    assert desk.typed(lines) == sent
    assert "all 5 messages have been sent before; --again" in capsys.readouterr().out
    once_more = desk.typed(lines, again=True)
    assert (once_more.confirmed, once_more.state, once_more.run) == (0, "stopped", f"{sent.asked.job}.1")


def test_again_goes_on_with_what_it_began(desk: Desk, lines: Path) -> None:
    desk.sent(lines)
    second = msgspec.structs.replace(desk.typed(lines, again=True), confirmed=2)
    desk.book.write(second)
    assert desk.typed(lines, again=True) == desk.typed(lines) == second


def test_lines_of_another_job_are_refused(desk: Desk, lines: Path, document: Path) -> None:
    desk.sent(lines)
    with pytest.raises(DataProcessingError, match=r"lines.ndjson was a part of backfill \w+ \(5 of 5 messages sent\)"):
        desk.typed(lines, document)
    assert desk.typed(lines, document, again=True).total == 6


def test_a_changed_file_is_another_job_and_that_is_said(desk: Desk, lines: Path) -> None:
    before = desk.sent(lines)
    lines.write_bytes(LINE % 9)
    with pytest.raises(DataProcessingError, match=f"has been changed since backfill {before.asked.job}.*--again"):
        desk.typed(lines)


def test_documents_of_another_job_are_told(desk: Desk, document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk.sent(document)
    os.utime(document, ns=(0, 0))
    assert desk.typed(document).total == 1
    assert "prices.csv has been changed since backfill" in capsys.readouterr().out


def test_a_job_that_sent_nothing_is_in_nobodys_way(desk: Desk, lines: Path, document: Path) -> None:
    desk.book.write(desk.typed(lines))
    assert desk.typed(lines, document).total == 6


def test_what_is_too_large_is_refused_before_anything_is_sent(desk: Desk, lines: Path) -> None:
    lines.write_bytes(LINE % 1 + b"x" * (2**20 + 1))
    with pytest.raises(DataProcessingError, match=r"lines.ndjson:2 gives a message of 1048577 bytes"):
        desk.typed(lines)


def test_messages_are_the_same_from_any_number_on(desk: Desk, lines: Path, document: Path) -> None:
    files = (document, lines, document)
    journal = desk.typed(*files)
    every = list(unsent(journal, files, 100_000))
    assert [number for number, _ in every] == list(range(1, 8))
    assert [message.key for _, message in every] == [b"prices.csv", *(b"x%d" % n for n in range(5)), b"prices.csv"]
    for confirmed in range(8):
        rest = unsent(msgspec.structs.replace(journal, confirmed=confirmed), files, 100_000)
        assert list(rest) == every[confirmed:]


def test_a_file_that_is_changed_while_it_is_sent_is_refused(desk: Desk, lines: Path, document: Path) -> None:
    messages = unsent(desk.typed(lines, document), (lines, document), 100_000)
    next(messages)
    with lines.open("ab") as file:
        file.write(LINE % 5)
    with pytest.raises(DataProcessingError, match=r"lines.ndjson has been changed while it was sent"):
        assert len(list(messages)) == 4


def test_a_document_that_is_too_large_is_refused(desk: Desk, document: Path) -> None:
    with pytest.raises(DataProcessingError, match=r"prices.csv gives a message of \d+ bytes, at most 10 are taken"):
        list(unsent(desk.typed(document), (document,), 10))
