"""The dead-letter topic, read again on a real broker."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from uuid import uuid4

import pytest

from db.kafka.admin import make_admin, topic_id
from db.kafka.deadletters import DeadLetterTopic
from db.kafka.producer import ConfirmedProducer
from db.kafka.topics import ensure_topics, ours
from pipeline.errors import DataProcessingError
from service import clock
from service.settings import Kafka, Settings
from tests.polling import until
from workers.codec import Messages
from workers.deadletters import Cause, Origin, write

pytestmark = pytest.mark.stack

DOCUMENT = b'{"envelope":{},"payload":{"market":"NYISO","name":"a.csv","document":"x"}}'


@pytest.fixture
def own(settings: Settings) -> Kafka:
    """Topics of nobody else."""
    mark = uuid4().hex
    made = settings.kafka.model_copy(update={n: f"{n}-{mark}" for n in ("raw_topic", "deadletter_topic", "group_id")})
    ensure_topics(make_admin(made.bootstrap), {n: config for n, config in ours(made).items() if mark in n}, 3)
    return made


@pytest.fixture
def topic(own: Kafka) -> Iterator[DeadLetterTopic]:
    with closing(DeadLetterTopic(own)) as made:
        yield made


def _bury(own: Kafka, first: int, *values: bytes | None, identity: str = "t/id") -> None:
    count = len(values)
    offsets = list(range(first, first + count))
    messages = Messages(offsets, [7_000] * count, [1] * count, [b"k"] * count, {0: [("trace", b"\xff")]}, values)
    causes = [Cause(at, 0, "normalize", "MessageRefused", "no '\x1b'") for at in range(count)]
    producer = ConfirmedProducer(own.bootstrap, own.message_max_bytes)
    write(producer, own.deadletter_topic, Origin(own.raw_topic, identity, 2), messages, causes)


def test_every_letter_says_where_it_is_from_and_other_messages_are_left_out(own: Kafka, topic: DeadLetterTopic) -> None:
    _bury(own, 40, DOCUMENT, None, b"not json")
    stranger = ConfirmedProducer(own.bootstrap, own.message_max_bytes)
    stranger.send(own.deadletter_topic, b"stranger")
    stranger.send(own.deadletter_topic, b"half", headers=[("gridtick.identity", b"nonsense")])
    stranger.flush()
    found = {each.origin: each for each in topic.letters()}
    assert sorted(found) == ["t/id/2/40", "t/id/2/41", "t/id/2/42"]
    first = found["t/id/2/40"]
    assert (first.market, first.name, first.stamp_ms, first.attempts) == ("NYISO", "a.csv", 7, 1)
    assert first.first == ("t/id", 2, 40)
    assert (found["t/id/2/42"].market, found["t/id/2/41"].size) == (None, 0)


def test_the_message_comes_back_as_it_was(own: Kafka, topic: DeadLetterTopic) -> None:
    _bury(own, 40, DOCUMENT, b"\x00\xff", None)
    places = {each.place: each.origin for each in topic.letters()}
    found = {places[place]: original for place, original in topic.originals(places.keys())}
    assert [found[f"t/id/2/{n}"].value for n in (40, 41, 42)] == [DOCUMENT, b"\x00\xff", None]
    first = found["t/id/2/40"]
    assert (first.key, list(first.headers)) == (b"k", [("trace", b"\xff")])
    assert first.told["stage"] == "normalize"
    assert list(topic.originals([])) == []


def test_only_what_was_written_since(own: Kafka, topic: DeadLetterTopic) -> None:
    _bury(own, 40, b"old")
    (old,) = topic.letters()
    since = old.written_ms + 1
    until(lambda: clock.now_us() > since * 1000, what="the producer's clock has gone on")
    _bury(own, 41, b"new")
    assert [each.origin for each in topic.letters(since)] == ["t/id/2/41"]


def test_a_message_of_which_a_part_is_kept_is_read_from_its_own_topic(own: Kafka, topic: DeadLetterTopic) -> None:
    raw = ConfirmedProducer(own.bootstrap, own.message_max_bytes)
    raw.send(own.raw_topic, b"whole", b"k", [("trace", b"1")])
    ((partition, (offset, _)),) = raw.flush().items()
    identity = topic_id(make_admin(own.bootstrap), own.raw_topic)
    _bury(own, offset, b"who", identity=identity)
    (letter,) = topic.letters()
    kept = topic.kept(replace(letter, origin=f"{identity}/{partition}/{offset}"))
    assert kept is not None
    assert (kept.value, kept.key, list(kept.headers)) == (b"whole", b"k", [("trace", b"1")])
    assert topic.kept(replace(letter, origin=f"other/{partition}/{offset}")) is None, "the topic was made again"
    assert topic.kept(replace(letter, topic="never")) is None


def test_a_topic_that_is_not_there_is_a_sentence(own: Kafka) -> None:
    with (
        closing(DeadLetterTopic(own.model_copy(update={"deadletter_topic": "never-made"}))) as nowhere,
        pytest.raises(DataProcessingError, match="never-made cannot be read"),
    ):
        list(nowhere.letters())
