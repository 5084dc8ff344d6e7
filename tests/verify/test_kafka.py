"""The proof reads the topics of both lanes."""

from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition

from db.kafka.admin import make_admin, topic_id
from db.kafka.producer import ConfirmedProducer
from db.kafka.topics import ensure_topics, ours
from service.settings import LANES, Kafka, Settings
from verify import kafka

pytestmark = pytest.mark.stack


@pytest.fixture
def own(settings: Settings) -> Kafka:
    """Topics and groups of nobody else."""
    mark = uuid4().hex
    names = {name: f"{name}-{mark}" for name in ("raw_topic", "backfill_topic", "deadletter_topic", "group_id")}
    made = settings.kafka.model_copy(update=names)
    topics = {name: config for name, config in ours(made).items() if mark in name}
    ensure_topics(make_admin(made.bootstrap), topics, 1)
    return made


def _commit(own: Kafka, group: str, topic: str, offset: int) -> None:
    consumer = Consumer({"bootstrap.servers": own.bootstrap, "group.id": group, "log_level": 0})
    consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    consumer.close()


def test_every_lane_has_its_positions_and_its_dead_letters(own: Kafka) -> None:
    producer = ConfirmedProducer(own.bootstrap, own.message_max_bytes)
    identities = {lane: topic_id(make_admin(own.bootstrap), own.topic_of(lane)) for lane in LANES}
    for count, lane in enumerate(LANES, 2):
        for _ in range(count):
            producer.send(own.topic_of(lane), b"x")
        headers = [("gridtick.job", b"j/1"), (kafka.IDENTITY, f"{identities[lane]}/0/{count - 1}/0".encode())]
        producer.send(own.deadletter_topic, b"x", headers=headers)
        producer.flush()
        _commit(own, own.group_of(lane), own.topic_of(lane), count)
    found = {each.topic_id: (each.committed, each.offsets) for each in kafka.partitions(own)}
    assert found == {identities["live"]: (2, [0, 1]), identities["backfill"]: (3, [0, 1, 2])}
    assert kafka.dead_letters(own) == {(identities["live"], 0, 1): 1, (identities["backfill"], 0, 2): 1}
