"""Stores that are away: the right answer within a bounded time, and bugs stay bugs."""

import asyncio

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from redis.exceptions import ConnectionError as RedisGone
from sqlalchemy.exc import InterfaceError, ProgrammingError

from api.problems import Problem
from api.reads.away import Watch
from api.reads.ports import Store
from service.metrics import Metrics


@pytest.mark.parametrize(
    ("store", "error"),
    [
        ("clickhouse", OperationalError("refused")),
        ("clickhouse", ConnectionRefusedError()),
        ("postgres", InterfaceError("SELECT 1", {}, Exception("gone"))),
        ("postgres", ConnectionRefusedError()),
        ("redis", RedisGone("refused")),
    ],
)
async def test_a_store_that_is_away_is_a_503_that_names_it(store: Store, error: Exception) -> None:
    metrics = Metrics("api")
    with pytest.raises(Problem, match=f"{store} does not answer") as caught:
        async with Watch(metrics).reading(store):
            raise error
    assert (caught.value.status, caught.value.headers) == (503, {"Retry-After": "5"})
    assert metrics.value("store_failures_total", store=store) == 1


async def test_a_store_that_takes_too_long_is_away() -> None:
    with pytest.raises(Problem, match="redis does not answer"):
        async with Watch(Metrics("api")).reading("redis", 0.01):
            await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("store", "bug"),
    [
        ("clickhouse", DatabaseError("unknown identifier")),
        ("postgres", ProgrammingError("SELEC", {}, Exception("syntax"))),
        ("redis", KeyError("x")),
    ],
)
async def test_a_bug_is_not_taken_for_an_absence(store: Store, bug: Exception) -> None:
    with pytest.raises(type(bug)):
        async with Watch(Metrics("api")).reading(store):
            raise bug
