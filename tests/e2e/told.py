"""What a system tells other consumers of a few instruments, and what it stores of them."""

from collections import Counter
from typing import Any

from redis import Redis

from db.redis import landed
from service.settings import Settings
from tests import topics
from tests.e2e import stores
from tests.e2e.load import Message
from tests.pipeline.making import document, interval, oasis, tick
from tests.polling import until

STREAMS = ('told "a"/é', "told.b")
NODES = ("caiso.rt_5min.TOLD_A", "caiso.rt_5min.TOLD_B")
INSTRUMENTS = (*STREAMS, *NODES)
PUBLICATIONS = """
    SELECT concat(topic_id, '/', toString(partition), '/', toString(offset), '/', toString(row),
        if(source_rank = 0, concat('/', toString(toUnixTimestamp64Micro(ts))), '')), instrument, price
    FROM ticks WHERE instrument IN {names:Array(String)}"""
BARS = """
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
