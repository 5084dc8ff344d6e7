"""What others learn of a pass whoever runs first, whatever is lost, and whatever is switched off."""

from typing import Any

import pytest

from db.redis import claims, landed
from db.redis.landed import Bounds
from local.stack import Stack
from pipeline.errors import DataProcessingError
from service.settings import Settings
from tests.db.clickhouse.brute import Row
from tests.workers.tasks.heard import STREAM, correction, expect_newest_is_shown, ledger, told
from tests.workers.tasks.passing import OUTGOING, Worker, worker_settings, working
from workers import changes
from workers.header import ENRICHED, latest_of, states_of
from workers.tasks import project

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("order", ["latest first", "landed first", "latest lost"])
def test_latest_prices_are_offered_whatever_runs_first(worker: Worker, tick: Row, order: str) -> None:
    worker.store([tick])
    batches, name = worker.run_pass()
    if order == "latest first":
        project.latest(name)
    project.landed(batches, name)
    if order == "landed first":
        project.latest(name)
    assert told(worker).count(("latest", "")) == 1
    assert worker.context.metrics.value("latest_written_total") == 1
    assert worker.context.redis.hexists(f"latest:{tick['tenant']}", "POWER")


def test_prices_that_expire_while_a_pass_is_told_are_offered_all_the_same(
    worker: Worker, tick: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.store([tick])
    batches, name = worker.run_pass()
    real = changes.tell

    def slow(context: Any, states: Any) -> None:
        claims.drop(context.redis, latest_of(name))
        real(context, states)

    monkeypatch.setattr(changes, "tell", slow)
    project.landed(batches, name)
    assert worker.context.redis.hexists(f"latest:{tick['tenant']}", "POWER")


def test_a_pass_whose_claim_expired_has_not_landed_and_its_repeat_tells(worker: Worker, tick: Row) -> None:
    worker.store([tick], batch_id="late")
    batches, name = worker.run_pass()
    claims.drop(worker.context.redis, states_of(name), latest_of(name))
    project.landed(batches, name)
    assert (worker.acks(), ledger(worker), told(worker)) == ([], [], [])
    assert worker.ids() == {kind: [] for kind in OUTGOING}
    worker.land([tick], batch_id="late")
    assert len(worker.acks()) == 1
    assert len(told(worker)) == 6


def test_a_batch_whose_ticks_another_pass_took_does_not_hold_up_the_others(worker: Worker, tick: Row) -> None:
    twice = worker.store([tick], batch_id="twice", first=0)
    other = worker.store([correction(tick, 5, 1)], first=1)
    batches, name = worker.run_pass()
    claims.drop(worker.context.redis, twice.claim(ENRICHED))
    project.landed(batches, name)
    assert [ack.first for ack in worker.acks()] == [other.first]
    assert ledger(worker) == [(1, 2)]
    assert len(worker.ids()["normalized"]) == 1
    assert set(told(worker)) == {("latest", ""), *(("bar", each) for each in STREAM)}


def test_of_two_passes_that_race_the_highest_ver_is_the_newest_bar(
    worker: Worker, tick: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older pass has read its bars when the newer one is told whole; its events come last."""
    worker.store([tick])
    older = worker.run_pass()
    real, raced = changes.changes.untold, list[bool]()

    def overtaken(*arguments: Any) -> Any:
        found = real(*arguments)
        if not raced:
            raced.append(True)
            worker.land([correction(tick, 11, 1)])
        return found

    monkeypatch.setattr(changes.changes, "untold", overtaken)
    project.landed(*older)
    minutes = [each["payload"] for each in worker.events("bars") if each["payload"]["interval"] == "1m"]
    assert [payload["close"] for payload in minutes] == [11, 10], "the race was lost"
    expect_newest_is_shown(worker, tick["tenant"])
    assert told(worker).count(("bar", "1m")) == 1, "the log tells the newer one alone"
    worker.land([tick])
    worker.land([correction(tick, 11, 1)])
    assert len(worker.events("bars")) == 10, "and all is told"


@pytest.mark.parametrize("failing", ["send", "flush"])
def test_nothing_lands_while_kafka_does_not_take_the_events(
    worker: Worker, tick: Row, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def refuse(*_: Any) -> None:
        raise DataProcessingError("Kafka did not take an outgoing event", "kafka")

    worker.store([tick])
    batches, name = worker.run_pass()
    with monkeypatch.context() as patch:
        patch.setattr(worker.context.events, failing, refuse)
        with pytest.raises(DataProcessingError):
            project.landed(batches, name)
    assert (worker.acks(), ledger(worker), told(worker)) == ([], [], [])
    assert worker.failures("project") == 1
    project.landed(batches, name)
    assert len(worker.acks()) == 1


@pytest.mark.parametrize("off", [["normalized"], ["enriched"], ["bars"], ["normalized", "enriched"], list(OUTGOING)])
def test_a_topic_that_is_off_stays_empty_and_all_else_goes_on(
    settings: Settings, stack: Stack, monkeypatch: pytest.MonkeyPatch, tick: Row, off: list[str]
) -> None:
    with working(worker_settings(settings, dict(stack.environ), off), monkeypatch) as worker:
        worker.context.redis.delete(landed.STREAM)
        header = worker.store([tick])
        kept = claims.get(worker.context.redis, header.claim(ENRICHED)) is not None
        assert kept == (not {"normalized", "enriched"} <= set(off))
        project.landed(*worker.run_pass())
        made = {"normalized": 1, "enriched": 1, "bars": 5, "curves": 0}
        on = [kind for kind in OUTGOING if kind not in off]
        assert {kind: len(worker.events(kind)) for kind in on} == {kind: made[kind] for kind in on}
        assert len(told(worker)) == 6
        assert len(worker.acks()) == len(ledger(worker)) == 1
        assert claims.get(worker.context.redis, header.claim(ENRICHED)) is None


def test_batches_without_a_tick_only_land(worker: Worker) -> None:
    header = worker.store([])
    project.landed([header.to_json()], None)
    assert (len(worker.acks()), len(ledger(worker)), told(worker)) == (1, 1, [])


def test_bars_of_a_refused_batch_are_told_without_one(worker: Worker, tick: Row) -> None:
    worker.store([tick])
    _, name = worker.run_pass()
    project.landed([], name)
    assert (len(told(worker)), worker.acks(), ledger(worker)) == (6, [], [])
    assert len(worker.ids()["bars"]) == 5


def test_the_log_is_kept_as_the_settings_say(settings: Settings, stack: Stack) -> None:
    given = {"DATA_PROC_LANDED_KEEP_S": "60", "DATA_PROC_LANDED_KEEP_ENTRIES": "100"}
    few = worker_settings(settings, {**stack.environ, **given})
    context: Any = type("Context", (), {"settings": few})
    assert changes.bounds_of(context) == Bounds(60, 100)
