"""Which topics there are, with what is switched off."""

from typing import Any

import pytest

from db.kafka.topics import LIKE_THE_BROKER, ensure_topics, ours, outgoing
from pipeline.errors import DataProcessingError
from service.settings import Kafka, load

EVENTS = {
    "normalized": "normalized.market.ticks.v1",
    "enriched": "enriched.market.ticks.v1",
    "bar": "aggregation.bars.v1",
    "curve": "aggregation.curves.v1",
}
NAMES = {"normalized": "NORMALIZED", "enriched": "ENRICHED", "bar": "BARS", "curve": "CURVES"}


def kafka(**given: str) -> Kafka:
    return load({f"DATA_PROC_KAFKA_{name}_TOPIC": value for name, value in given.items()}).kafka


def test_all_are_on_by_default() -> None:
    assert outgoing(kafka()) == EVENTS
    assert set(ours(kafka())) == {
        *EVENTS.values(), "ingestion.market.raw.v1", "ingestion.market.backfill.v1", "processing.deadletter.v1",
    }  # fmt: skip


@pytest.mark.parametrize("kind", EVENTS)
def test_each_is_switched_off_alone(kind: str) -> None:
    off = kafka(**{NAMES[kind]: ""})
    left = {each: topic for each, topic in EVENTS.items() if each != kind}
    assert outgoing(off) == left
    assert EVENTS[kind] not in ours(off)
    assert "" not in ours(off)
    assert set(left.values()) < set(ours(off))


def test_all_may_be_off() -> None:
    off = kafka(**dict.fromkeys(NAMES.values(), ""))
    assert outgoing(off) == {}
    assert len(ours(off)) == 3


def test_both_lanes_read_topics_that_tell_when_a_message_became_known() -> None:
    made = ours(kafka(BACKFILL="history"))
    for topic in ("ingestion.market.raw.v1", "history"):
        assert made[topic]["message.timestamp.type"] == "LogAppendTime"


@pytest.mark.parametrize("name", [*NAMES.values(), "BACKFILL", "DEADLETTER"])
def test_what_is_written_does_not_come_back_as_what_is_read(name: str) -> None:
    said = rf"DATA_PROC_KAFKA_{name}_TOPIC=ingestion.market.raw.v1 is DATA_PROC_KAFKA_RAW_TOPIC too"
    with pytest.raises(DataProcessingError, match=said):
        ours(kafka(**{name: "ingestion.market.raw.v1"}))


def test_events_tell_their_type_and_may_share_a_topic() -> None:
    shared = kafka(NORMALIZED="events", ENRICHED="events", BARS="events", CURVES="events")
    assert set(outgoing(shared).values()) == {"events"}
    assert ours(shared)["events"] == {}


class Admin:
    def __init__(self) -> None:
        self.asked: list[Any] = []

    def create_topics(self, wanted: list[Any], request_timeout: float) -> dict[str, Any]:
        self.asked += wanted
        return {}


def test_a_topic_is_asked_for_with_its_settings() -> None:
    admin: Any = Admin()
    ensure_topics(admin, {"t": {"retention.ms": "-1"}}, partitions=7)
    [topic] = admin.asked
    assert (topic.topic, topic.num_partitions, topic.replication_factor) == ("t", 7, LIKE_THE_BROKER)
    assert topic.config == {"retention.ms": "-1"}
