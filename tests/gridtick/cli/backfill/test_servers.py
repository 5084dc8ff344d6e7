"""What a backfill reads from a real topic and a real ledger."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import msgspec
import pytest
from confluent_kafka import TopicPartition

from db.kafka.admin import make_admin
from db.kafka.producer import ConfirmedProducer
from db.kafka.topics import ensure_topics
from db.postgres.engine import make_engine
from db.postgres.ledger import LandedRange, Outcome, append_ledger
from gridtick.cli.backfill import topic as topic_module
from gridtick.cli.backfill.journal import HEADER, Journal, Placed
from gridtick.cli.backfill.landed import LOOK_S, Landed
from gridtick.cli.backfill.topic import LaneTopic
from pipeline.errors import DataProcessingError
from service.settings import Settings
from tests.gridtick.cli.backfill.fakes import journal_of

pytestmark = pytest.mark.stack


@pytest.fixture
def topic(settings: Settings) -> str:
    name = f"history-{uuid4().hex}"
    ensure_topics(make_admin(settings.kafka.bootstrap), {name: {}}, 1)
    return name


@pytest.fixture
def lane(settings: Settings, topic: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LaneTopic]:
    monkeypatch.setattr(topic_module, "SETTLES_S", 0)
    with closing(LaneTopic(settings.kafka, topic)) as made:
        yield made


@pytest.fixture
def journal(settings: Settings, topic: str) -> Journal:
    """A run that was cut off; of its messages 1 to 4 lie at 1, 3, 4, 5, its journal knows the first one."""
    made = journal_of(9, topic=topic, state="sending", confirmed=1, spans={0: (1, 2)})
    producer = ConfirmedProducer(settings.kafka.bootstrap, settings.kafka.message_max_bytes)
    for headers in ((), [made.header(1)], [(HEADER, b"other/2")], *([made.header(n)] for n in (2, 3, 4))):
        producer.send(topic, b"x", headers=headers)
    producer.flush()
    return made


def test_what_a_run_left_is_found(lane: LaneTopic, journal: Journal) -> None:
    assert list(lane.left_by(journal)) == [Placed(0, 3, 2), Placed(0, 4, 3), Placed(0, 5, 4)]
    assert list(lane.left_by(msgspec.structs.replace(journal, spans={0: (1, 6)}))) == []
    assert lane.ends() == {0: 6}


@pytest.mark.parametrize(("deleted", "known"), [(2, True), (3, False)])
def test_what_the_topic_no_longer_keeps_is_not_guessed(
    settings: Settings, lane: LaneTopic, journal: Journal, deleted: int, known: bool
) -> None:
    admin, place = make_admin(settings.kafka.bootstrap), TopicPartition(journal.topic, 0, deleted)
    admin.delete_records([place])[place].result()
    if known:
        assert len(list(lane.left_by(journal))) == 3
    else:
        with pytest.raises(DataProcessingError, match="no longer keeps what came next"):
            list(lane.left_by(journal))


def test_a_topic_that_is_not_there_is_a_sentence(settings: Settings) -> None:
    with closing(LaneTopic(settings.kafka, "absent")) as lane, pytest.raises(DataProcessingError, match="absent"):
        lane.ends()


class _Ledger:
    """A job's place in the ledger, looked at by a clock that stands still unless it is moved."""

    def __init__(self, dsn: str) -> None:
        self.identity, self.now = uuid4().hex, 0.0
        self._dsn = dsn
        self.landed = Landed(make_engine(dsn), self.identity, lambda: self.now)

    def land(self, first: int, end: int) -> None:

        row = LandedRange("t", self.identity, 0, first, end, end - first, 2, 0, 0, 1, "b")
        asyncio.run(append_ledger(make_engine(self._dsn, pooled=False), [row]))
        self.now += LOOK_S


@pytest.fixture
def ledger(settings: Settings) -> Iterator[_Ledger]:
    made = _Ledger(settings.postgres.dsn.get_secret_value())
    yield made
    made.landed.close()


def test_only_what_has_landed_without_a_hole_counts(ledger: _Ledger) -> None:
    spans = {0: (5, 20), 1: (3, 3)}
    counts: list[int] = [ledger.landed.covered(spans)]
    for first, end in ((0, 7), (9, 12), (7, 9), (12, 40)):
        ledger.land(first, end)
        counts.append(ledger.landed.covered(spans))
    assert counts == [0, 2, 2, 7, 15]
    assert ledger.landed.outcome(spans) == Outcome(40, 8, 0, 0)


def test_the_ledger_is_asked_once_a_second(ledger: _Ledger) -> None:
    assert ledger.landed.covered({0: (0, 9)}) == 0
    ledger.land(0, 9)
    ledger.now -= LOOK_S / 2
    assert ledger.landed.covered({0: (0, 9)}) == 0


def test_a_ledger_that_is_away_is_as_before() -> None:
    away = Landed(make_engine("postgresql://a:b@127.0.0.1:1/c"), "x")
    with closing(away):
        assert away.covered({0: (0, 9)}) == 0
