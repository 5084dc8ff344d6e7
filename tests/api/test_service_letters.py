"""Dead letters over REST on real Kafka and PostgreSQL: listed, shown, sent again and recorded."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import uuid4

import httpx
import pytest
from confluent_kafka import TopicPartition
from sqlalchemy.ext.asyncio import AsyncEngine

from api.reads.away import Watch
from api.reads.known import Connections
from api.reads.letter_port import Replay
from api.reads.letters import LetterReads
from db.kafka.admin import make_admin
from db.kafka.consumer import reader
from db.kafka.letters import Original
from db.kafka.producer import ConfirmedProducer
from db.kafka.topics import ensure_topics, ours
from db.letters.causes import Dead
from db.postgres.audit_reads import Filters, records
from db.postgres.changes import By, Performed
from db.postgres.engine import make_engine
from db.postgres.idempotency import Once
from service.metrics import Metrics
from service.settings import Kafka, Settings
from tests.api import fakes
from workers.codec import Messages
from workers.deadletters import Cause, Origin, write

pytestmark = pytest.mark.stack
T = TypeVar("T")
LETTERS = "/v1/admin/dead-letters"
BYTES = b'{"envelope":{},"payload":{"market":"NYISO","name":"a.csv","document":"\xff"}}'


class Reads(fakes.FakeReads):
    """Keys in memory; dead letters in the real stores."""

    def __init__(self, real: LetterReads) -> None:
        super().__init__()
        self._real = real

    async def of_letters(self, since: datetime | None, work: Callable[[list[Dead]], T]) -> T:
        return await self._real.of_letters(since, work)

    async def original(self, dead: Dead) -> tuple[Original, bool] | None:
        return await self._real.original(dead)

    async def replay(self, wanted: Replay, by: By, once: Once | None) -> Performed:
        return await self._real.replay(wanted, by, once)


def _reads(engine: AsyncEngine, kafka: Kafka, settings: Settings) -> Reads:
    nothing, secret = cast("Any", None), settings.api.audit_secret.get_secret_value()
    watch = Watch(Metrics("api"))
    stores = nothing, nothing, engine, nothing, watch
    return Reads(LetterReads(Connections(*stores, (), secret, nothing, nothing, kafka)))


@pytest.fixture
def own(settings: Settings) -> Kafka:
    """Topics of nobody else, with one message of which two letters were written, and another."""
    mark = uuid4().hex
    made = settings.kafka.model_copy(update={n: f"{n}-{mark}" for n in ("raw_topic", "deadletter_topic", "group_id")})
    ensure_topics(make_admin(made.bootstrap), {n: config for n, config in ours(made).items() if mark in n}, 3)
    values: list[bytes | None] = [BYTES, b"\x00\xff"]
    messages = Messages([40, 41], [7_000] * 2, [1] * 2, [b"k"] * 2, {0: [("trace", b"\xff")]}, values)
    causes = [Cause(0, 0, "normalize", "MessageRefused", "no '7'"), Cause(1, 0, "decode", "MessageRefused", "no JSON")]
    producer = ConfirmedProducer(made.bootstrap, made.message_max_bytes)
    write(producer, made.deadletter_topic, Origin(made.raw_topic, f"t/{mark}", 2), messages, causes)
    return made


@pytest.fixture
async def http(own: Kafka, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    engine = make_engine(settings.postgres.dsn.get_secret_value())
    reads = _reads(engine, own, settings)
    async with fakes.client(reads, reads.add_key(role="operator")) as client:
        yield client
    await engine.dispose()


def _raw(own: Kafka) -> list[tuple[bytes | None, dict[str, bytes]]]:
    """The messages of the raw topic: value and headers."""
    found, consumer = list[tuple[bytes | None, dict[str, bytes]]](), reader(own, own.group_id)
    for partition in range(3):
        place = TopicPartition(own.raw_topic, partition, 0)
        _, end = consumer.get_watermark_offsets(place, timeout=10)
        consumer.assign([place])
        for _ in range(end):
            message = consumer.poll(10)
            assert message is not None
            found.append((message.value(), dict(cast("Any", message.headers()))))
    consumer.close()
    return found


async def test_letters_are_listed_shown_and_sent_again(own: Kafka, http: httpx.AsyncClient, settings: Settings) -> None:
    causes = (await http.get(LETTERS)).json()["data"]
    assert sorted((each["stage"], each["letters"], each["waiting"]) for each in causes) == [
        ("decode", 1, 1), ("normalize", 1, 1),
    ]  # fmt: skip
    (cause,) = [each["cause"] for each in causes if each["stage"] == "normalize"]
    (row,) = (await http.get(LETTERS, params={"cause": cause})).json()["data"]
    assert (row["topic"], row["partition"], row["offset"], row["name"]) == (own.raw_topic, 2, 40, "a.csv")
    path = f"{LETTERS}/{row['topic_id']}/2/40"
    shown = (await http.get(path)).json()
    assert (shown["id"], shown["message"]["headers"][0]["base64"], shown["message"]["value"]["text"]) == (
        row["id"],
        "/w==",
        None,
    )
    assert (await http.get(path, params={"format": "raw"})).content == BYTES
    await _sent_once(own, http, cause)
    await _recorded_once(settings, cause)


async def _sent_once(own: Kafka, http: httpx.AsyncClient, cause: str) -> None:
    body: dict[str, Any] = {"cause": cause}
    trial = (await http.post(f"{LETTERS}/replay", json={**body, "dry_run": True})).json()
    assert (trial["sent"], await asyncio.to_thread(_raw, own)) == (1, [])
    once = {"Idempotency-Key": uuid4().hex}
    first, again = [await http.post(f"{LETTERS}/replay", json=body, headers=once) for _ in range(2)]
    assert (first.status_code, first.json()) == (200, trial | {"dry_run": False}), first.text
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    ((value, headers),) = await asyncio.to_thread(_raw, own)
    assert (value, headers["trace"], b'"attempt":2' in headers["gridtick.replay"]) == (BYTES, b"\xff", True)
    (row,) = (await http.get(LETTERS, params={"cause": cause, "state": "replayed"})).json()["data"]
    assert row["attempts"] == 1


async def _recorded_once(settings: Settings, cause: str) -> None:
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    found = await records(engine, Filters(["public"], "deadletter.replay"), 0, 1_000)
    (record,) = [each for each in found if each.target == cause and each.actor != "cli"]
    assert '"letters":1' in record.detail


async def test_kafka_away_is_told_within_five_seconds(settings: Settings) -> None:
    nowhere = settings.kafka.model_copy(update={"bootstrap": "127.0.0.1:1"})
    engine = make_engine(settings.postgres.dsn.get_secret_value())
    reads, began = _reads(engine, nowhere, settings), time.monotonic()
    async with fakes.client(reads, reads.add_key(role="operator")) as client:
        answer = await client.get(LETTERS)
    await engine.dispose()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert time.monotonic() - began < 15
