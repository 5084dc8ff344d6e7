"""`gridtick verify` must see what it promises to see: faults planted in the stores of a real system."""

from collections.abc import Iterator
from urllib.request import urlopen

import pytest
import redis
from confluent_kafka import Consumer, TopicPartition

from tests.e2e import load, stores
from tests.e2e.system import System, system, until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with system(tmp_path_factory.mktemp("planted")) as started:
        topic = stores.RawTopic(started.settings)
        topic.send(load.make(400, 2, 7).messages)
        until(lambda: topic.committed() >= topic.end(), 120, "everything has landed")
        topic.close()
        yield started


def found(system: System, **environ: str) -> str:
    verified = system.gridtick("verify", environ=environ)
    assert verified.returncode == 1, verified.stdout + verified.stderr
    return verified.stdout


def metrics(host: str, port: int) -> dict[str, float]:
    with urlopen(f"http://{host}:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (each.rpartition(" ") for each in lines if each[0] != "#")}


def command(system: System, sql: str) -> None:
    client = stores.clickhouse(system.settings)
    client.command(sql, settings={"mutations_sync": 1, "async_insert": 0})
    client.close()


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


def test_a_wrong_bar_is_seen(landed: System) -> None:
    command(landed, "INSERT INTO bars SELECT * REPLACE (high + 1 AS high, ver + 1 AS ver) FROM bars "
            "WHERE interval = '5m' AND instrument = 'caiso.rt_5min.NODE_0_7_N000' LIMIT 1")  # fmt: skip
    assert "I3 5m bar" in found(landed)


def test_a_lost_tick_is_seen(landed: System) -> None:
    command(landed, "ALTER TABLE ticks DELETE WHERE instrument = 'caiso.rt_5min.NODE_1_7_N001'")
    assert "I1 [" in found(landed)


def test_a_doubled_tick_is_seen(landed: System) -> None:
    command(landed, "INSERT INTO ticks SELECT * REPLACE ('another' AS event_id, row + 1 AS row) FROM ticks "
            "WHERE market = 'powerx' LIMIT 1")  # fmt: skip
    assert "I1 [" in found(landed)


def test_a_latest_price_that_went_back_is_seen(landed: System) -> None:
    client = redis.Redis.from_url(landed.settings.redis.url.get_secret_value())
    name, stored = next(iter(client.hscan_iter("latest:desk_7")))
    client.hset("latest:desk_7", name, b"0" * 10 + stored[10:])
    client.close()
    assert "I6 latest price" in found(landed)


def test_an_early_commit_is_seen(landed: System) -> None:
    settings = landed.settings.kafka
    # A group of its own stands for the bridge's: the broker takes no foreign commit into a living group.
    consumer = Consumer({"bootstrap.servers": settings.bootstrap, "group.id": "early", "log_level": 0})
    place = TopicPartition(settings.raw_topic, 0)
    _, end = consumer.get_watermark_offsets(place, timeout=10)
    consumer.commit(offsets=[TopicPartition(settings.raw_topic, 0, end + 5)], asynchronous=False)
    consumer.close()
    said = found(landed, DATA_PROC_KAFKA_GROUP_ID="early")
    assert "I4 partition 0" in said
    assert "I5 partition 0" in said
