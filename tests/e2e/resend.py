"""The bridge's repeat of a batch that has landed: the same offsets once more, as a task of an assignment of its own."""

import asyncio
import time
from collections.abc import Iterator
from itertools import accumulate
from uuid import uuid4

from confluent_kafka import Consumer, Message, TopicPartition

from db.kafka.admin import make_admin, topic_id
from db.postgres.engine import make_engine
from db.postgres.ledger_ranges import ledger_ranges
from db.redis.client import connect
from db.redis.passes import Passes
from service.settings import Settings
from tests.polling import until
from workers.bridge.dispatcher import RedisDispatcher
from workers.bridge.window import Flight, in_flight
from workers.broker import make_app
from workers.codec import Messages, pack

Range = tuple[int, int, int]  # partition, first, next


def ranges(settings: Settings) -> list[Range]:
    """Every batch of the live topic that has landed, oldest first."""
    return asyncio.run(_ranges(settings))


async def _ranges(settings: Settings) -> list[Range]:
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    identity = topic_id(make_admin(settings.kafka.bootstrap), settings.kafka.raw_topic)
    found = await ledger_ranges(engine, identity)
    await engine.dispose()
    return found.sort("landed_at").select("partition", "first_offset", "next_offset").rows()


def send_again(settings: Settings, batch: Range) -> None:
    """Returns once it has landed again."""
    redis = connect(settings.redis.url.get_secret_value())
    topic, assignment = settings.kafka.raw_topic, uuid4().hex
    dispatcher = RedisDispatcher(make_app(settings), redis, Passes(redis, "live"), topic, time.monotonic)
    dispatcher.topic_id = topic_id(make_admin(settings.kafka.bootstrap), topic)
    dispatcher.open(assignment)
    dispatcher.send(assignment, [_flight(settings, *batch)])
    until(lambda: bool(dispatcher.acks(assignment, 0.1)), 60, "the repeat has landed")
    redis.close()


def _flight(settings: Settings, partition: int, first: int, following: int) -> Flight:
    all_before = list(_messages(settings, TopicPartition(settings.kafka.raw_topic, partition, 0), following))
    known = list(accumulate((each.timestamp()[1] * 1000 for each in all_before), max))
    offsets = [each.offset() or 0 for each in all_before]
    keys, values = [_sent(each.key()) for each in all_before], [_sent(each.value()) for each in all_before]
    messages = Messages(offsets, known, known, keys, {}, values).part(offsets.index(first), len(offsets))
    return in_flight(uuid4().hex, partition, first, following, messages, pack(messages))


def _messages(settings: Settings, start: TopicPartition, end: int) -> Iterator[Message]:
    consumer = Consumer({"bootstrap.servers": settings.kafka.bootstrap, "group.id": uuid4().hex, "log_level": 0})
    try:
        consumer.assign([start])
        offset = 0
        while offset + 1 < end:
            message = consumer.poll(10)
            assert message is not None
            assert message.error() is None
            offset = message.offset() or 0
            yield message
    finally:
        consumer.close()


def _sent(content: object) -> bytes | None:
    assert content is None or isinstance(content, bytes)
    return content
