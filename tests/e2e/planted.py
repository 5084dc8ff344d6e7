"""Faults planted in the stores of a real system: each in a place of its own, none may hide another.

What is spoiled stays so.
"""

import redis
from confluent_kafka import Consumer, TopicPartition

from tests.e2e import stores
from tests.e2e.system import System

WRONG_BAR = "caiso.rt_5min.NODE_0_7_N000"
LOST = "caiso.rt_5min.NODE_1_7_N001"
EARLY = "early"  # the group that has committed what has not landed
DIFFERENCES = (
    "I3 5m bar",  # a wrong bar
    f"I3 bars of {LOST} of public",  # its ticks were lost: its bars are of nothing
    "(it went back",
    f"I6 latest price of {WRONG_BAR} of public",  # another content under the right key
    "I3 bars of GHOST",
    "I6 latest price of GHOST",
    "I4 partition 0",  # an early commit
    "I5 partition 0",
)


def spoil_the_store(system: System) -> None:
    client = stores.clickhouse(system.settings)
    for sql in (
        f"INSERT INTO bars SELECT * REPLACE (high + 1 AS high, ver + 1 AS ver) FROM bars "
        f"WHERE interval = '5m' AND instrument = '{WRONG_BAR}' LIMIT 1",
        "INSERT INTO ticks SELECT * REPLACE ('another' AS event_id, row + 1 AS row) FROM ticks "
        f"WHERE market = 'powerx' AND partition != "
        f"(SELECT any(partition) FROM ticks WHERE instrument = '{LOST}') LIMIT 1",
        f"ALTER TABLE ticks DELETE WHERE instrument = '{LOST}'",
        "INSERT INTO bars SELECT * REPLACE ('GHOST' AS instrument) FROM bars WHERE interval = '1d' LIMIT 1",
    ):
        client.command(sql, settings={"mutations_sync": 1, "async_insert": 0})
    client.close()


def spoil_the_register(system: System) -> None:
    client = redis.Redis.from_url(system.settings.redis.url.get_secret_value())
    name, stored = next(iter(client.hscan_iter("latest:desk_7")))
    client.hset("latest:desk_7", name, b"0" * 10 + stored[10:])
    stored = dict(client.hscan_iter("latest:public"))[WRONG_BAR.encode()]
    client.hset("latest:public", "GHOST", stored)
    client.hset("latest:public", WRONG_BAR, stored.replace(b'"revision":', b'"revision":1'))
    client.close()


def commit_early(system: System) -> None:
    settings = system.settings.kafka
    # A group of its own stands for the bridge's: the broker takes no foreign commit into a living group.
    consumer = Consumer({"bootstrap.servers": settings.bootstrap, "group.id": EARLY, "log_level": 0})
    place = TopicPartition(settings.raw_topic, 0)
    _, end = consumer.get_watermark_offsets(place, timeout=10)
    others = [TopicPartition(settings.raw_topic, n, 0) for n in range(1, settings.partitions)]
    early = TopicPartition(settings.raw_topic, 0, end + 5)
    consumer.commit(offsets=[early, *(_at_end(consumer, each) for each in others)], asynchronous=False)
    consumer.close()


def _at_end(consumer: Consumer, place: TopicPartition) -> TopicPartition:
    return TopicPartition(place.topic, place.partition, consumer.get_watermark_offsets(place, timeout=10)[1])
