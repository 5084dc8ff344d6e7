from pathlib import Path

import msgspec
import pytest

from gridtick.cli.backfill import asked, journal
from gridtick.cli.backfill.book import Book
from gridtick.cli.backfill.journal import Placed, found, joined, number_of
from pipeline.errors import DataProcessingError
from tests.gridtick.cli.backfill.fakes import OPTIONS, journal_of


def test_a_partition_without_messages_begins_where_the_first_one_lies() -> None:
    assert joined({0: (5, 5), 1: (2, 4)}, {0: (9, 12), 1: (1, 3), 2: (7, 8)}) == {0: (9, 12), 1: (1, 4), 2: (7, 8)}


def test_what_is_found_is_confirmed_as_far_as_it_has_no_hole() -> None:
    before = journal_of(20, state="sending", confirmed=4, ahead=(6, 9), spans={0: (0, 3), 1: (5, 5)})
    after = found(before, [Placed(0, 3, 5), Placed(1, 8, 11), Placed(1, 6, 2)])
    assert (after.confirmed, after.ahead, after.state) == (6, (9, 11), "sending")
    assert after.spans == {0: (0, 4), 1: (8, 9)}  # a message that is confirmed was sent by somebody else


@pytest.mark.parametrize("value", [b"job.1/7", b"other/7", b"job/", b"job/x", b"7", b"\xff/7", "job/7", None])
def test_the_messages_of_others_have_no_number(value: bytes | str | None) -> None:
    assert number_of({journal.HEADER: value}, "job") is None
    assert number_of({}, "job") is None


def test_a_message_is_known_by_its_run() -> None:
    first, again = journal_of(3), journal_of(3, again=2)
    assert number_of(dict([first.header(3)]), first.run) == 3
    assert number_of(dict([first.header(3)]), again.run) is None


def test_another_file_option_or_topic_is_another_job(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x")
    first = asked.Asked((asked.seen(file),), OPTIONS, "topic-1")
    same = asked.Asked((asked.seen(tmp_path / "." / "a"),), OPTIONS, "topic-1")
    others = [
        msgspec.structs.replace(first, topic_id="topic-2"),
        msgspec.structs.replace(first, options=msgspec.structs.replace(OPTIONS, tenant="acme")),
        msgspec.structs.replace(first, files=first.files * 2),
    ]
    file.write_bytes(b"xy")
    others.append(asked.Asked((asked.seen(file),), OPTIONS, "topic-1"))
    assert first.job == same.job
    assert len({first.job, *(each.job for each in others)}) == 5


def test_a_journal_is_kept_as_it_is(tmp_path: Path) -> None:
    book, written = Book(tmp_path), journal_of(9, confirmed=3, ahead=(5,), spans={0: (1, 4), 11: (0, 0)})
    other = journal_of(1, asked=asked.Asked((), OPTIONS, "topic-2"))
    assert book.read(written.asked.job) is None
    for each in (written, other):
        book.write(each)
    assert book.read(written.asked.job) == written
    assert list(book.others(written.asked.job)) == [other]


def test_a_journal_that_cannot_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    book, written = Book(tmp_path), journal_of(9)
    book.write(written)
    book.path(written.asked.job).with_suffix(".new").mkdir()
    with pytest.raises(DataProcessingError, match="cannot be written"):
        book.write(msgspec.structs.replace(written, confirmed=1))
    assert book.read(written.asked.job) == written


def test_a_spoilt_journal_is_not_taken_for_none(tmp_path: Path) -> None:
    book, spoilt = Book(tmp_path), journal_of(9)
    book.path(spoilt.asked.job).write_text('{"counts": "x"}')
    with pytest.raises(DataProcessingError, match="no journal"):
        book.read(spoilt.asked.job)


def test_a_folder_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataProcessingError, match="Choose another --data-dir"):
        Book(tmp_path / "file")


def _locks(folder: Path) -> None:
    with Book(folder).locked("job"):
        pass


def test_one_process_at_a_time_works_on_a_job(tmp_path: Path) -> None:
    with Book(tmp_path).locked("job"):
        with pytest.raises(DataProcessingError, match="by another process"):
            _locks(tmp_path)
        with Book(tmp_path).locked("other"):
            pass
    _locks(tmp_path)
