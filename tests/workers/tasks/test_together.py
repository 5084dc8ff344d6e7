"""Some small batches in one task: what is wrong with one harms no other, and no price waits for a pass."""

from typing import Any
from uuid import uuid4

import msgspec
import polars as pl
import pytest

from db.redis import claims
from db.redis.latest import WIDTH, register_of
from service import clock
from tests.db.clickhouse.rows import fresh_tenant
from tests.workers.tasks.heard import told
from tests.workers.tasks.passing import Worker
from workers.codec import Messages, pack
from workers.header import RAW, BatchHeader
from workers.queues import PASS
from workers.tasks import normalize, storing
from workers.tasks.base import DataError

pytestmark = pytest.mark.stack

TICK = (
    '{"envelope":{"tenant_id":"TENANT"},"payload":{"market":"power","instrument_id":"hub%d",'
    '"raw_data":{"timestamp":"2025-03-01T00:00:00Z","price":%d}}}'
)


def batch(worker: Worker, tenant: str, number: int, known_us: int) -> dict[str, Any]:
    """The header of a batch of one tick, which waits for its task."""
    value = (TICK % (number, number)).replace("TENANT", tenant).encode()
    messages = Messages([number], [known_us], [known_us], [None], {}, [value])
    header = BatchHeader(uuid4().hex, worker.assignment, "raw", "t", number, number, number + 1, 1, known_us)
    claims.put(worker.context.redis, header.claim(RAW), pack(messages))
    worker.context.passes.announce(header.batch_id, clock.now_us())
    return header.to_json()


def prices(worker: Worker, tenant: str) -> dict[str, str]:
    stored = worker.context.redis.hgetall(register_of(tenant))
    return {name.decode(): msgspec.json.decode(blob[WIDTH:])["price"] for name, blob in stored.items()}  # pyright: ignore


def test_prices_are_told_before_any_pass(worker: Worker) -> None:
    tenant = fresh_tenant()
    normalize.batch([batch(worker, tenant, number, clock.now_us()) for number in (1, 2)])
    assert prices(worker, tenant) == {"hub1": "1.000000000", "hub2": "2.000000000"}
    assert [kind for kind, _ in told(worker)] == ["latest", "latest"]
    assert worker.context.passes.waiting() == 2
    assert worker.context.passes.coming(clock.now_us()) == set()
    assert worker.sent == [(PASS,)]
    worker.run_pass()
    assert [kind for kind, _ in told(worker)] == ["latest", "latest"], "nothing is told twice"


def test_prices_of_a_backlog_are_left_to_the_pass(worker: Worker) -> None:
    tenant = fresh_tenant()
    normalize.batch([batch(worker, tenant, 1, clock.now_us() - 2 * storing.FRESH_US)])
    assert prices(worker, tenant) == {}
    assert worker.context.passes.waiting() == 1


def test_a_price_that_cannot_be_told_at_once_keeps_no_batch_from_its_pass(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise ConnectionError("away")

    monkeypatch.setattr(storing, "newest_prices", away)
    with pytest.raises(ConnectionError):
        normalize.batch([batch(worker, fresh_tenant(), 1, clock.now_us())])
    assert worker.context.passes.waiting() == 1
    assert worker.sent == [(PASS,)]
    assert worker.acks() == []


@pytest.mark.parametrize("stage", ["normalize", "enrich"])
def test_a_batch_that_is_refused_keeps_no_other_from_landing(
    worker: Worker, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = fresh_tenant()
    given = [batch(worker, tenant, number, clock.now_us()) for number in (1, 2, 3)]
    if stage == "normalize":
        claims.put(worker.context.redis, f"{given[1]['batch_id']}:{RAW}", b"no messages")
    else:
        real = storing.insert_ticks

        def insert(client: Any, ticks: pl.DataFrame) -> int:
            if 2 in ticks["partition"]:
                raise DataError("no engine takes it")
            return real(client, ticks)

        monkeypatch.setattr(storing, "insert_ticks", insert)
    with pytest.raises(DataError):
        normalize.batch(given)
    assert [(ack.first, bool(ack.error)) for ack in worker.acks()] == [(2, True)]
    assert set(prices(worker, tenant)) == {"hub1", "hub3"}
    assert worker.context.passes.waiting() == 2
