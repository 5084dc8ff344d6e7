"""What counts as the data's fault, and what is told to the bridge."""

from types import SimpleNamespace
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from db.redis import acks, claims
from db.redis.acks import Ack
from pipeline.errors import DataProcessingError
from service.metrics import Metrics
from workers.header import BatchHeader
from workers.tasks.base import DataError, in_hand, refusals, take
from workers.tasks.faults import engine_refusals

HEADER = BatchHeader("b", "a", "t", "tid", 2, 10, 20, 10, 0)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Everything said to Redis, in order."""
    said: list[Any] = []

    def push(redis: object, assignment: str, ack: Ack) -> None:
        said.append((assignment, ack))

    def start(*facts: object, stage: str) -> None:
        said.append("start")

    def finish(*facts: object) -> None:
        said.append("finish")

    def nothing(*facts: object) -> None:
        return None

    for module, name, fake in ((acks, "push", push), (acks, "start", start), (acks, "finish", finish)):
        monkeypatch.setattr(module, name, fake)
    monkeypatch.setattr(claims, "get", nothing)
    return said


@pytest.fixture
def context() -> Any:
    arrived = list[str]()
    passes = SimpleNamespace(arrived=arrived.append)
    return SimpleNamespace(redis=None, metrics=Metrics("workers"), passes=passes, arrived=arrived)


def test_a_data_error_is_reported_with_its_range(told: list[Any], context: Any) -> None:
    with pytest.raises(DataError), in_hand(context, [HEADER], "normalize"), refusals("normalize"):
        raise DataProcessingError("price 'x' is no number", "normalize")
    assert told == ["start", ("a", Ack(2, 10, 20, error="[normalize] price 'x' is no number")), "finish"]
    assert context.arrived == ["b"], "nobody waits for it to be stored"


def test_any_error_of_pure_code_is_the_datas_fault(told: list[Any], context: Any) -> None:
    with pytest.raises(DataError), in_hand(context, [HEADER], "enrich"), refusals("enrich"):
        raise ZeroDivisionError("division by zero")
    assert told[1][1].error == "[enrich] ZeroDivisionError: division by zero"


@pytest.mark.parametrize("error", [ConnectionError("away"), DataProcessingError("ClickHouse is away", "aggregate")])
def test_a_server_that_is_away_is_no_attempt(told: list[Any], context: Any, error: Exception) -> None:
    with pytest.raises(type(error)), in_hand(context, [HEADER], "aggregate"):
        raise error
    assert told == ["start", "finish"]
    assert context.arrived == [], "it is still on its way"


def test_out_of_memory_is_no_attempt(told: list[Any], context: Any) -> None:
    with pytest.raises(MemoryError), in_hand(context, [HEADER], "normalize"), refusals("normalize"):
        raise MemoryError
    assert told == ["start", "finish"]


def test_a_panic_of_a_library_is_the_datas_fault(told: list[Any], context: Any) -> None:
    class Panic(BaseException):
        pass

    with pytest.raises(DataError), in_hand(context, [HEADER], "normalize"), refusals("normalize"):
        raise Panic("index out of bounds")
    assert told[1][1].error == "[normalize] Panic: index out of bounds"


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, SoftTimeLimitExceeded])
def test_a_worker_that_is_stopped_is_no_attempt(told: list[Any], context: Any, stop: type[BaseException]) -> None:
    with pytest.raises(stop), in_hand(context, [HEADER], "normalize"), refusals("normalize"):
        raise stop
    assert told == ["start", "finish"]


def test_a_claim_that_is_gone_ends_quietly(told: list[Any], context: Any) -> None:
    with in_hand(context, [HEADER], "enrich"):
        take(context, HEADER, "ticks")
        raise AssertionError("nothing follows")
    assert told == ["start", "finish"]
    assert context.metrics.value("task_failures_total", task="enrich.gone") == 1


@pytest.mark.parametrize(
    ("error", "fault", "told"),
    [
        (DatabaseError("Code: 407. DB::Exception: Decimal math overflow"), DataError, r"^\[enrich\] Code: 407"),
        (DatabaseError("error code 241, memory limit exceeded"), DatabaseError, "^error code 241"),
        (DatabaseError("no code at all"), DatabaseError, "^no code at all$"),
        (OperationalError("connection refused"), OperationalError, "^connection refused$"),
    ],
)
def test_only_overflows_are_the_datas_fault(error: Exception, fault: type[Exception], told: str) -> None:
    with pytest.raises(fault, match=told), engine_refusals("enrich"):
        raise error
