"""Dead letters sent again: the original bytes, and a header that says which message they stand for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final, Protocol

from db.kafka.deadletters import DeadLetterTopic
from db.kafka.letters import Letter, Original
from db.kafka.producer import ConfirmedProducer, Headers, TooLarge
from db.letters.causes import Dead
from db.letters.named import Choice
from db.letters.originals import whole
from db.letters.states import State
from db.postgres.replays import Attempt
from pipeline import replay
from pipeline.errors import DataProcessingError
from pipeline.replay import Labels, Replay
from service.settings import LANES, Kafka

AT_ONCE: Final = 500  # letters that are asked for, sent and confirmed together
_AT_ONCE_BYTES: Final = 8 * 1024 * 1024
_TOO_LARGE: Final = "it and the header that tells what it is are larger than a message may be: raise \
DATA_PROC_KAFKA_MESSAGE_MAX_BYTES, or send the document as another file"
_INCOMPLETE: Final = "only its beginning is kept, for Kafka did not take it once more, and its own topic no longer \
keeps it: send its document again"


class Outgoing(Protocol):
    """As `ConfirmedProducer` is."""

    def send(self, topic: str, value: bytes | None, key: bytes | None = None, headers: Headers = ()) -> None: ...
    def flush(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to send of a letter: as which attempt, under which labels, to which topic."""

    dead: Dead
    replay: Replay
    topic: str


@dataclass(slots=True)
class Result:
    """`sent`: what Kafka has taken (or, of a trial, would be given); `failed`: what could not be sent, and why."""

    sent: list[Wanted] = field(default_factory=list[Wanted])
    failed: list[tuple[Dead, str]] = field(default_factory=list[tuple[Dead, str]])
    size: int = 0


def wanted(dead: Iterable[Dead], choice: Choice, kafka: Kafka) -> list[Wanted]:
    """Those that are to be sent: what waits, and what was asked for but is in no worker's hand (a crash in between).

    With `again` of the choice all of them.
    """
    due = (each for each in dead if choice.again or each.state is State.waiting or not each.read)
    return [Wanted(each, _replay(each, choice), _topic(each.letter, kafka)) for each in due]


def _replay(dead: Dead, choice: Choice) -> Replay:
    letter = dead.letter
    before = max(letter.attempts, dead.asked) if choice.again else letter.attempts
    topic_id, partition, offset = letter.first
    known = choice.labels.over(letter.labels)
    return Replay(letter.topic, topic_id, partition, offset, letter.stamp_ms, before + 1, known)


def _topic(letter: Letter, kafka: Kafka) -> str:
    """The topic of its lane; of one that is read no longer the live one."""
    lanes = {kafka.topic_of(lane) for lane in LANES}
    return letter.topic if letter.topic in lanes else kafka.raw_topic


def send(kafka: Kafka, wanted: Sequence[Wanted], note: Callable[[Sequence[Attempt]], object], *, trial: bool) -> Result:
    """Sends them; what is in `sent` is on all replicas. A trial only looks whether they can be sent.

    `note` keeps which attempts are about to be sent (`db.postgres.replays.ask`). Killed in the middle it may be called
    again: an attempt is read once, however often it was sent. Raises `KafkaAway`.
    """
    result, producer = Result(), ConfirmedProducer(kafka.bootstrap, kafka.message_max_bytes)
    for some in _some(_readable(kafka, wanted, result)):
        if not trial:
            note([(each.replay.origin, each.replay.attempt) for each, _ in some])
        for each, original in some:
            _sent(None if trial else producer, each, original, result)
        producer.flush()
    return result


def _some(found: Iterable[tuple[Wanted, Original]]) -> Iterator[list[tuple[Wanted, Original]]]:
    part, size = list[tuple[Wanted, Original]](), 0
    for each, original in found:
        part.append((each, original))
        size += len(original.value or b"")
        if len(part) >= AT_ONCE or size >= _AT_ONCE_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _readable(kafka: Kafka, wanted: Sequence[Wanted], result: Result) -> Iterator[tuple[Wanted, Original]]:
    """With their messages, whole and under labels that they can bear; the others are told as failed."""
    of = {each.dead.letter.place: each for each in wanted}
    with closing(DeadLetterTopic(kafka)) as letters, closing(DeadLetterTopic(kafka)) as raw:
        for place, kept in letters.originals(of.keys()):
            each = of.pop(place)
            original = whole(raw, each.dead.letter, kept)
            problem = _INCOMPLETE if original is None else _unbearable(original, each.replay.labels)
            if original is None or problem:
                result.failed.append((each.dead, problem))
            else:
                yield each, original
    result.failed += [(each.dead, "it is no longer in the dead-letter topic") for each in of.values()]


def _unbearable(original: Original, labels: Labels) -> str:
    try:
        replay.relabelled(original.value or b"", labels)
    except DataProcessingError as error:
        return error.message
    return ""


def _sent(outgoing: Outgoing | None, each: Wanted, original: Original, result: Result) -> None:
    """A large one is confirmed on its own, so that it is known whether this one was too large."""
    headers = [*original.headers, replay.header(each.replay)]
    large = len(original.value or b"") > 64 * 1024
    try:
        if outgoing is not None:
            if large:
                outgoing.flush()
            outgoing.send(each.topic, original.value, original.key, headers)
            if large:
                outgoing.flush()
    except TooLarge:
        result.failed.append((each.dead, _TOO_LARGE))
        return
    result.sent.append(each)
    result.size += len(original.value or b"")
