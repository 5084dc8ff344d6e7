"""What other consumers learn from a real system: every publication and every changed bar, repeats under equal ids."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from redis import Redis

from db.redis import landed
from service.settings import Settings
from tests import topics
from tests.e2e import resend, stores
from tests.e2e.load import Message
from tests.e2e.system import System, system
from tests.pipeline.making import document, interval, oasis, tick
from tests.polling import until

pytestmark = pytest.mark.e2e

STREAMS = ('told "a"/é', "told.b")
NODES = ("caiso.rt_5min.TOLD_A", "caiso.rt_5min.TOLD_B")
INSTRUMENTS = (*STREAMS, *NODES)
_PUBLICATIONS = """
    SELECT concat(topic_id, '/', toString(partition), '/', toString(offset), '/', toString(row),
        if(source_rank = 0, concat('/', toString(toUnixTimestamp64Micro(ts))), '')), instrument, price
    FROM ticks WHERE instrument IN {names:Array(String)}"""
_BARS = """
    SELECT instrument, `interval`, start, open, high, low, close, volume, count, updated_at
    FROM bars FINAL WHERE instrument IN {names:Array(String)} AND `interval` != '10s'"""


def price(name: str, number: int, value: str) -> Message:
    raw = {"timestamp": f"2025-05-01T12:00:{number:02}.5Z", "price": value, "volume": number, "bid": None, "ask": None}
    envelope = {"event_id": f"{name}-{number}", "tenant_id": None}
    return Message(name.encode(), tick(raw, envelope, market="powerx", instrument_id=name))


def report(**second: str) -> Message:
    """Two intervals of two nodes; the second interval of the second node as given."""
    rows = [*interval(node="TOLD_A"), *interval(5, node="TOLD_A"), *interval(node="TOLD_B")]
    return Message(b"told", document(oasis(*rows, *interval(5, node="TOLD_B", **second)).decode()))


FIRST = [
    *(price(name, number, f"{number - 5}.00000000{number}") for name in STREAMS for number in range(1, 8)),
    report(),
]
CORRECTED = [price(STREAMS[0], 3, "-75"), report(LMP="99.00001")]


class Told:
    """The outgoing topics and the landed log of a system, of our instruments alone."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._topic = stores.RawTopic(settings)
        self._redis = Redis.from_url(settings.redis.url.get_secret_value())

    def send(self, messages: list[Message]) -> None:
        self._topic.send(messages)
        until(lambda: self._topic.committed() >= self._topic.end(), 120, "everything has landed")

    def events(self, topic: str) -> list[Any]:
        found = topics.events(self.settings.kafka.bootstrap, topic)
        return [each for each in found if each["payload"]["instrument_id"] in INSTRUMENTS]

    def ids(self, topic: str) -> Counter[str]:
        return Counter(each["envelope"]["event_id"] for each in self.events(topic))

    def position(self) -> str:
        return landed.newest(self._redis)

    def log(self, after: str) -> list[tuple[str, landed.Change]]:
        read = landed.read(self._redis, after)
        assert not read.gap
        return [
            (entry.kind, each) for entry in read.entries for each in entry.changes if each.instrument in INSTRUMENTS
        ]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        client = stores.clickhouse(self.settings)
        found = [tuple(row) for row in client.query(sql, parameters={"names": list(INSTRUMENTS)}).result_rows]
        client.close()
        return found

    def close(self) -> None:
        self._topic.close()
        self._redis.close()


@pytest.fixture(scope="module")
def told(calm: System) -> Iterator[Told]:
    """All is sent, then some of it corrected."""
    made = Told(calm.settings)
    made.send(FIRST)
    made.send(CORRECTED)
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["normalized", "enriched"])
def test_every_publication_is_there_with_its_price(told: Told, kind: str) -> None:
    found = told.events(getattr(told.settings.kafka, f"{kind}_topic"))
    stored = {f"{kind}/{position}": (name, amount) for position, name, amount in told.rows(_PUBLICATIONS)}
    events = {
        each["envelope"]["event_id"]: (each["payload"]["instrument_id"], each["payload"]["price"]) for each in found
    }
    assert events == stored
    assert len(events) == 14 + 4 + 1 + 4
    assert {each["envelope"]["event_type"] for each in found} == {f"{kind}.market.ticks.v1"}


def held(told: Told) -> dict[tuple[str, str, str], Any]:
    """The newest event of every bar."""
    newest: dict[tuple[str, str, str], Any] = {}
    for event in told.events(told.settings.kafka.bars_topic):
        payload = event["payload"]
        place = payload["instrument_id"], payload["interval"], payload["start"]
        if place not in newest or newest[place]["ver"] <= payload["ver"]:
            newest[place] = payload
    return newest


def test_the_newest_event_of_every_bar_is_the_stored_bar(told: Told) -> None:
    fields = ("open", "high", "low", "close", "volume", "count", "updated_at")
    found = {place: tuple(payload[name] for name in fields) for place, payload in held(told).items()}
    stored = {
        (name, interval_, stamp(start)): (*amounts, stamp(updated))
        for name, interval_, start, *amounts, updated in told.rows(_BARS)
    }
    assert found == stored
    assert Counter(interval_ for _, interval_, _ in stored) == {"1m": 2, "5m": 6, "15m": 4, "1h": 4, "1d": 4}


@pytest.mark.parametrize("length", ["5m", "1d"])
def test_the_newest_event_of_every_bar_is_what_the_api_shows(calm: System, told: Told, length: str) -> None:
    span = ["--start", "2024-01-01T00:00:00Z", "--end", "2026-01-01T00:00:00Z", "--format", "ndjson"]
    said = calm.gridtick("bars", *INSTRUMENTS, "--interval", length, *span)
    assert said.returncode == 0, said.stderr
    shown = [json.loads(line, parse_float=Decimal) for line in said.stdout.splitlines()]
    names = ("start", "end", "open", "high", "low", "close", "volume", "twap", "count", "revision")
    found = {
        place[0::2]: [payload[name] for name in names] for place, payload in held(told).items() if place[1] == length
    }
    assert found == {(row["instrument"], row["start"]): [row[name] for name in names] for row in shown}


def test_changes_are_in_the_log_and_ids_are_unique(told: Told) -> None:
    changes = Counter((kind, each.instrument, each.interval) for kind, each in told.log(landed.BEGINNING))
    assert changes["latest", STREAMS[0], ""] >= 1
    assert changes["bar", STREAMS[0], "1m"] >= 2, "first told, then corrected"
    assert changes["bar", NODES[1], "1h"] >= 2
    bars = told.events(told.settings.kafka.bars_topic)
    assert len({each["envelope"]["event_id"] for each in bars}) == len({str(each["payload"]) for each in bars})


def test_a_batch_that_the_bridge_sends_again_repeats_its_ids_and_says_nothing_new(told: Told) -> None:
    kafka = told.settings.kafka
    every = (kafka.normalized_topic, kafka.enriched_topic, kafka.bars_topic)
    before, position = [told.ids(topic) for topic in every], told.position()
    resend.send_again(told.settings, resend.ranges(told.settings)[-1])
    after = [told.ids(topic) for topic in every]
    assert [set(ids) for ids in after] == [set(ids) for ids in before]
    assert [ids.total() for ids in after[:2]] > [ids.total() for ids in before[:2]], "its ticks are written again"
    assert after[2] == before[2]
    assert told.log(position) == []


def test_equal_prices_in_new_messages_are_new_ticks_and_no_change(told: Told) -> None:
    kafka, position = told.settings.kafka, told.position()
    ticks, bars = told.ids(kafka.normalized_topic), told.ids(kafka.bars_topic)
    told.send(CORRECTED)
    assert len(told.ids(kafka.normalized_topic)) == len(ticks) + 5
    assert told.ids(kafka.bars_topic) == bars
    assert told.log(position) == []


def test_a_topic_that_is_off_is_not_even_made_and_all_else_goes_on(tmp_path: Path) -> None:
    with system(tmp_path / "off", DATA_PROC_KAFKA_BARS_TOPIC="") as started:
        off = Told(started.settings)
        off.send(FIRST)
        admin = AdminClient({"bootstrap.servers": off.settings.kafka.bootstrap})
        there = admin.list_topics(timeout=10).topics
        assert "aggregation.bars.v1" not in there
        assert len(off.events(off.settings.kafka.normalized_topic)) == 18
        assert len(off.rows(_BARS)) == 20
        assert {kind for kind, _ in off.log(landed.BEGINNING)} == {"bar", "latest"}
        off.close()


def stamp(instant: datetime) -> str:
    """As events write an instant that ClickHouse gave."""
    at = instant.replace(tzinfo=UTC)
    digits = f"{at.microsecond:06}".rstrip("0")
    return f"{at - timedelta(microseconds=at.microsecond):%Y-%m-%dT%H:%M:%S}{f'.{digits}' if digits else ''}Z"
