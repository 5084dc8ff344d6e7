"""`gridtick verify` must see what it promises to see: faults planted in the stores of a real system."""

import re
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
import redis
from confluent_kafka import Consumer, TopicPartition

from tests.e2e import load, stores
from tests.e2e.system import System, system
from tests.polling import until

pytestmark = pytest.mark.e2e

# Each fault in a place of its own: none may hide another.
WRONG_BAR = "caiso.rt_5min.NODE_0_7_N000"
LOST = "caiso.rt_5min.NODE_1_7_N001"


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of its own: what is spoiled here stays so."""
    with system(tmp_path_factory.mktemp("planted")) as own:
        topic = stores.RawTopic(own.settings)
        topic.send(load.make(400, 2, 7).messages)
        until(lambda: topic.committed() >= topic.end(), 120, "everything has landed")
        topic.close()
        yield own


@pytest.fixture(scope="module")
def said(landed: System) -> str:
    """What the proof says once all faults are planted."""
    spoil_the_store(landed)
    spoil_the_register(landed)
    commit_early(landed)
    verified = landed.gridtick("verify", "--show", "100", environ={"DATA_PROC_KAFKA_GROUP_ID": "early"})
    assert verified.returncode == 1, verified.stdout + verified.stderr
    return verified.stdout


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
    consumer = Consumer({"bootstrap.servers": settings.bootstrap, "group.id": "early", "log_level": 0})
    place = TopicPartition(settings.raw_topic, 0)
    _, end = consumer.get_watermark_offsets(place, timeout=10)
    others = [TopicPartition(settings.raw_topic, n, 0) for n in range(1, settings.partitions)]
    early = TopicPartition(settings.raw_topic, 0, end + 5)
    consumer.commit(offsets=[early, *(_at_end(consumer, each) for each in others)], asynchronous=False)
    consumer.close()


def _at_end(consumer: Consumer, place: TopicPartition) -> TopicPartition:
    return TopicPartition(place.topic, place.partition, consumer.get_watermark_offsets(place, timeout=10)[1])


def metrics(host: str, port: int) -> dict[str, float]:
    with urlopen(f"http://{host}:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (each.rpartition(" ") for each in lines if each[0] != "#")}


def test_a_healthy_system_has_no_difference(landed: System) -> None:
    verified = landed.gridtick("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "no differences" in verified.stdout


def test_bridge_and_workers_show_what_they_counted(landed: System) -> None:
    shown = landed.settings.metrics
    bridge, workers = (metrics(shown.host, port) for port in (shown.bridge_port, shown.workers_port))
    assert bridge["gridtick_bridge_messages_total"] == bridge["gridtick_bridge_landed_messages_total"] > 400
    assert workers["gridtick_ticks_stored_total"] > 400
    assert workers['gridtick_task_seconds_count{task="normalize"}'] >= 1


@pytest.mark.parametrize(
    "difference",
    [
        "I3 5m bar",  # a wrong bar
        f"I3 bars of {LOST} of public",  # its ticks were lost: its bars are of nothing
        "(it went back",
        f"I6 latest price of {WRONG_BAR} of public",  # another content under the right key
        "I3 bars of GHOST",
        "I6 latest price of GHOST",
        "I4 partition 0",  # an early commit
        "I5 partition 0",
    ],
)
def test_a_planted_fault_is_seen(said: str, difference: str) -> None:
    assert difference in said


def test_a_lost_and_a_doubled_tick_are_seen(said: str) -> None:
    counts = re.findall(r"I1 \[.*: expected (\d+) publications, found (\d+)", said)
    assert any(int(found) < int(expected) for expected, found in counts)
    assert any(int(found) > int(expected) for expected, found in counts)
