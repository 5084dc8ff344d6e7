"""Whatever kills a backfill, and how often: nothing twice, nothing missing, the order of each key kept."""

import random
from collections.abc import Callable, Iterator
from itertools import count

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.kafka.producer import Headers
from gridtick.cli.backfill import sending
from gridtick.cli.backfill.journal import Journal, found
from gridtick.cli.backfill.sending import Sending
from gridtick.cli.backfill.stop import Stop
from gridtick.cli.raw import Message
from pipeline.errors import DataProcessingError
from tests.gridtick.cli.backfill.fakes import Crash, FakeTopic, journal_of, messages

TOTAL = 60


@pytest.fixture(autouse=True, scope="module")
def _short_entries() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sending, "AT_MOST", 9)
        yield


class Job:
    """A journal on a disk that outlives its processes."""

    def __init__(self, topic: FakeTopic) -> None:
        self.kept, self._topic = journal_of(TOTAL), topic

    def process(self, dies_at: int = -1, clock: Callable[[], float] = lambda: 0.0, stop: Stop | None = None) -> None:
        """One process that works on it."""
        self._topic.live(dies_at)
        journal = self.kept
        if journal.state == "sending":
            journal = found(journal, self._topic.left_by(journal))
        self.save(journal := msgspec.structs.replace(journal, state="sending"))
        Sending(self._topic, self.save, lambda _: None, clock).run(
            journal, self._messages(journal, stop or Stop()), stop or Stop()
        )

    def save(self, journal: Journal) -> None:
        self._topic.step()
        self.kept = journal
        self._topic.step()

    def _messages(self, journal: Journal, stop: Stop) -> Iterator[tuple[int, Message]]:
        for number, message in messages(TOTAL, journal.confirmed):
            stop.asked = 15 if number == 25 else stop.asked
            yield number, message


def sent_once(topic: FakeTopic) -> None:
    partitions = [[int(value) for value in values] for values in topic.values()]
    assert sorted(number for each in partitions for number in each) == list(range(1, TOTAL + 1))
    assert all(each == sorted(each) for each in partitions)


@given(st.integers(0, 10_000), st.lists(st.integers(1, 40), max_size=12))
def test_a_job_that_is_killed_at_any_place(seed: int, deaths: list[int]) -> None:
    topic = FakeTopic(random.Random(seed))
    job = Job(topic)
    for death in deaths:
        try:
            job.process(death)
        except Crash:
            continue
        break
    job.process()
    sent_once(topic)
    assert (job.kept.state, job.kept.confirmed, job.kept.ahead) == ("sent", TOTAL, ())
    assert job.kept.spans == {partition: (0, end) for partition, end in topic.ends().items()}


def test_a_crash_between_the_flush_and_the_journal() -> None:
    topic = FakeTopic(random.Random(1))
    job = Job(topic)
    with pytest.raises(Crash):
        job.process(dies_at=2 + 9 + 2 + 1)  # a save, nine messages, a flush; then before the second save
    assert (job.kept.confirmed, sum(topic.ends().values())) == (0, 9)
    job.process()
    sent_once(topic)


def test_it_stops_between_two_messages_and_needs_no_search_then() -> None:
    topic = FakeTopic(random.Random(2))
    job, stop = Job(topic), Stop()
    job.process(stop=stop)
    assert (job.kept.state, job.kept.confirmed, sum(topic.ends().values())) == ("stopped", 25, 25)
    job.process()
    sent_once(topic)


def test_an_entry_is_made_every_second() -> None:
    topic, seconds = FakeTopic(random.Random(3)), count()
    told: list[int] = []
    Sending(topic, lambda _: None, lambda each: told.append(each.confirmed), lambda: next(seconds) / 2).run(
        journal_of(8), messages(8), Stop()
    )
    assert told == [2, 4, 6, 8, 8]


def test_a_broker_that_goes_away_leaves_the_last_entry() -> None:
    class Away(FakeTopic):
        def flush(self) -> dict[int, tuple[int, int]]:
            if job.kept.confirmed >= 18:
                raise DataProcessingError("Kafka did not take a message", "kafka")
            return super().flush()

    topic = Away(random.Random(4))
    job = Job(topic)
    with pytest.raises(DataProcessingError, match="did not take"):
        job.process()
    assert (job.kept.state, job.kept.confirmed) == ("sending", 18)


def test_every_message_bears_its_number() -> None:
    class Seen(FakeTopic):
        def send(self, topic: str, value: bytes | None, key: bytes | None = None, headers: Headers = ()) -> None:
            seen.append((topic, value, key, *headers))

    seen: list[object] = []
    journal = journal_of(2, again=3)
    Sending(Seen(random.Random(5)), lambda _: None, lambda _: None, lambda: 0.0).run(journal, messages(2), Stop())
    assert seen == [
        ("t", b"%d" % n, b"key-%d" % n, ("gridtick.job", f"{journal.asked.job}.3/{n}".encode())) for n in (1, 2)
    ]
