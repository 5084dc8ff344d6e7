"""One worker process on the real servers, with topics of its own and an empty landed log."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from db.redis import chains, landed
from local.stack import Stack
from service.settings import Settings
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import DAY, fresh_tenant, generic
from tests.workers.tasks.passing import Worker, worker_settings, working
from workers.queues import DERIVE, DERIVE_CURVES


@pytest.fixture
def worker(settings: Settings, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    with working(worker_settings(settings, dict(stack.environ)), monkeypatch) as made:
        made.context.redis.delete(landed.STREAM)
        for task in (DERIVE, DERIVE_CURVES):  # of a test before
            chains.end(made.context.redis, task)
        yield made


@pytest.fixture
def tick() -> Row:
    return generic(fresh_tenant(), DAY, "10", volume=Decimal(3))
