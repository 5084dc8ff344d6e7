"""Dead letters that are sent again, through the first stage on real servers: read once and only once."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import polars as pl
import pytest

from db.kafka.deadletters import DeadLetterTopic
from db.kafka.letters import Letter
from db.letters.held import held
from db.postgres.replays import Sent, newest
from db.redis import claims
from local.stack import Stack
from pipeline import replay
from pipeline.replay import Labels, Replay
from service.settings import Settings
from tests.workers.tasks.passing import Worker, worker_settings, working
from workers.codec import Header, Messages, pack
from workers.frames import frame_from_bytes
from workers.header import RAW, TICKS, BatchHeader, from_json
from workers.queues import ENRICH, LANDED
from workers.tasks import normalize

pytestmark = pytest.mark.stack

TICK = (
    b'{"envelope":{"tenant_id":"desk"},"payload":{"market":"%s","instrument_id":"hub",'
    b'"raw_data":{"timestamp":"2025-03-01T00:00:00Z","price":1.250}}}'
)
GOOD, BAD = TICK % b"power", TICK % b"NO SUCH!"


@dataclass
class Stage:
    """The first stage, and what it hands on."""

    worker: Worker
    topic_id: str = field(default_factory=lambda: uuid4().hex)
    sent: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])

    def publish(self, app: object, task: str, *arguments: Any, after_s: float = 0) -> None:
        self.sent.append((task, *arguments))

    def run(self, *messages: tuple[bytes, Sequence[Header]], first: int = 0) -> tuple[pl.DataFrame, BatchHeader]:
        """One batch of (value, headers) at offsets from `first`: its ticks, and its header with the counts."""
        count = len(messages)
        offsets = list(range(first, first + count))
        headers = {at: list(each[1]) for at, each in enumerate(messages) if each[1]}
        packed = Messages(offsets, [5_000] * count, [5_000] * count, [None] * count, headers, [m[0] for m in messages])
        header = BatchHeader(uuid4().hex, "a", "raw", self.topic_id, 0, first, first + count, count, 5_000)
        redis = self.worker.context.redis
        claims.put(redis, header.claim(RAW), pack(packed))
        normalize.batch([header.to_json()])
        task, given, *_ = self.sent.pop()
        if task == LANDED:
            return pl.DataFrame(), from_json(given[0])
        assert task == ENRICH
        blob = claims.get(redis, header.claim(TICKS))
        assert blob is not None
        return frame_from_bytes(blob), from_json(given)

    def letters(self) -> list[Letter]:
        with closing(DeadLetterTopic(self.worker.context.settings.kafka)) as topic:
            return list(topic.letters())

    def origin(self, offset: int) -> Replay:
        return Replay("raw", self.topic_id, 0, offset, 5, 2)


@pytest.fixture
def stage(settings: Settings, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    own = {"DATA_PROC_KAFKA_DEADLETTER_TOPIC": f"dead-{uuid4().hex}"}
    with working(worker_settings(settings, {**stack.environ, **own}), monkeypatch) as worker:
        made = Stage(worker)
        monkeypatch.setattr(normalize, "publish", made.publish)
        monkeypatch.setattr(normalize, "FEW", -1)  # all are handed on
        yield made


def again(value: bytes, what: Replay) -> tuple[bytes, list[Header]]:
    return value, [("trace", b"1"), replay.header(what)]


def test_a_replay_lands_as_its_first_message_and_only_once(stage: Stage) -> None:
    what = stage.origin(3)
    ticks, header = stage.run(again(GOOD, what), (GOOD, []), again(GOOD, what), first=50)
    assert ticks.select("event_id", "offset").rows() == [(what.origin, 50), (f"{stage.topic_id}/0/51", 51)]
    assert (header.messages, header.ticks, header.dead_letters, header.invalid) == (3, 2, 0, 0)
    later, header = stage.run(again(GOOD, what), first=90)
    assert (later.height, header.ticks, header.rejects, header.dead_letters) == (0, 0, 0, 0)


def test_a_batch_that_is_sent_again_gives_the_same(stage: Stage) -> None:
    """A worker that died after it had taken the attempt, and a bridge that sends the batch once more."""
    what = stage.origin(3)
    first, _ = stage.run(again(GOOD, what), first=50)
    second, _ = stage.run(again(GOOD, what), first=50)
    assert first.equals(second)
    assert first.height == 1


def test_one_that_is_refused_again_is_the_same_letter_and_can_be_sent_once_more(stage: Stage) -> None:
    stage.run((BAD, [("trace", b"1")]), first=3)
    (letter,) = stage.letters()
    what = stage.origin(3)
    assert (letter.origin, letter.attempts) == (what.origin, 1)
    for first in (50, 60, 50):
        _, header = stage.run(again(BAD, what), first=first)
        assert (header.dead_letters, header.invalid) == ((0, 0) if first == 60 else (1, 0)), "no sign of a bad topic"
    known = stage.worker.context.runner.wait(newest(stage.worker.context.postgres))
    assert known[what.origin] == Sent(2, read=True, landed=False)
    letters = stage.letters()
    assert sorted(each.attempts for each in letters) == [1, 2, 2]
    assert {each.origin for each in letters} == {what.origin}
    (dead,) = held(letters, known)
    assert (dead.state, dead.letter.attempts) == ("waiting", 2)
    mended = Replay("raw", stage.topic_id, 0, 3, 5, 3)
    ticks, _ = stage.run(again(GOOD, mended), first=70)
    assert ticks["event_id"].to_list() == [what.origin]


def test_labels_that_were_wrong_are_set_right_and_stay_with_a_letter(stage: Stage) -> None:
    what = Replay("raw", stage.topic_id, 0, 3, 5, 2, Labels(market="power", tenant="other"))
    ticks, _ = stage.run(again(BAD, what), first=50)
    assert ticks.select("market", "tenant", "event_id").rows() == [("power", "other", what.origin)]
    unbearable = Replay("raw", stage.topic_id, 0, 4, 5, 2, Labels(market="power"))
    stage.run(again(b"not json", unbearable), first=60)
    (letter,) = stage.letters()
    assert (letter.origin, letter.labels) == (unbearable.origin, Labels(market="power"))


def test_ordinary_refusals_beside_replays_still_count(stage: Stage) -> None:
    _, header = stage.run((BAD, []), again(BAD, stage.origin(3)), (BAD, []), (GOOD, []), first=10)
    assert (header.dead_letters, header.invalid, header.runs.lead, header.runs.longest) == (3, 2, 1, 1)


def test_a_header_that_is_none_makes_an_ordinary_message(stage: Stage) -> None:
    ticks, _ = stage.run((GOOD, [(replay.HEADER, b"{")]), first=10)
    assert ticks["event_id"].to_list() == [f"{stage.topic_id}/0/10"]
