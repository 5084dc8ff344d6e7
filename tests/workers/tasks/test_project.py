"""What others learn of a pass, wherever a worker dies, whoever runs first, and however often."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from db.clickhouse import reads
from db.clickhouse.client import fetch
from db.postgres.ledger import ledger_ranges
from db.redis import claims, landed
from db.redis.landed import Bounds
from local.stack import Stack
from pipeline.errors import DataProcessingError
from service.settings import Settings
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import DAY, document, fresh_tenant, generic
from tests.workers.tasks.passing import OUTGOING, Worker, worker_settings, working
from workers import changes, outgoing
from workers.header import ENRICHED, latest_of, states_of
from workers.tasks import project

pytestmark = pytest.mark.stack

MINUTE = timedelta(minutes=1)
STREAM = ["1m", "5m", "15m", "1h", "1d"]


class Died(BaseException):
    """The process was killed here."""


@pytest.fixture
def worker(settings: Settings, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    with working(worker_settings(settings, dict(stack.environ)), monkeypatch) as made:
        made.context.redis.delete(landed.STREAM)
        yield made


@pytest.fixture
def tick() -> Row:
    return generic(fresh_tenant(), DAY, "10", volume=Decimal(3))


def correction(tick: Row, price: int, offset: int) -> Row:
    return tick | {"price": Decimal(price), "offset": offset, "known_at": DAY + offset * MINUTE}


def told(worker: Worker) -> list[tuple[str, str]]:
    """(kind, interval) of every change in the landed log."""
    read = landed.read(worker.context.redis, landed.BEGINNING)
    return [(entry.kind, change.interval) for entry in read.entries for change in entry.changes]


def ledger(worker: Worker) -> list[tuple[int, int]]:
    found = worker.context.runner.wait(ledger_ranges(worker.context.postgres, worker.assignment))
    return found.select("first_offset", "next_offset").rows()


def newest(worker: Worker) -> dict[tuple[str, str], Any]:
    """What a consumer holds at the end that keeps of each bar the event with the highest `ver`."""
    held: dict[tuple[str, str], Any] = {}
    for event in worker.events("bars"):
        payload = event["payload"]
        place = payload["interval"], payload["start"]
        if place not in held or payload["ver"] >= held[place]["ver"]:
            held[place] = payload
    return held


def shown(worker: Worker, tenant: str) -> dict[tuple[str, str], tuple[Decimal, Decimal | None, int, int]]:
    """What the API shows of each bar."""
    span = reads.Range(DAY - timedelta(days=2), DAY + timedelta(days=2), 1000)
    scope = reads.Scope([tenant], ["POWER", "caiso.rt_5min.NODE"])
    return {
        (interval, f"{row['start']:%Y-%m-%dT%H:%M:%SZ}"): (row["close"], row["volume"], row["revision"], row["ver"])
        for interval in STREAM
        for row in fetch(worker.context.clickhouse, reads.read_bars(scope, interval, span)).iter_rows(named=True)
    }


def expect_newest_is_shown(worker: Worker, tenant: str) -> None:
    held = {
        place: tuple(payload[name] for name in ("close", "volume", "revision", "ver"))
        for place, payload in newest(worker).items()
    }
    assert held == shown(worker, tenant)
    assert held


def test_a_pass_is_told_whole_before_it_has_landed(worker: Worker, tick: Row) -> None:
    header = worker.store([tick, document(tick["tenant"], DAY, "-5", offset=1)])
    batches, name = worker.run_pass()
    project.landed(batches, name)
    assert {kind: len(found) for kind, found in worker.ids().items()} == {"normalized": 2, "enriched": 2, "bars": 9}
    assert sorted(told(worker)) == sorted(
        [("bar", each) for each in STREAM] + [("bar", each) for each in STREAM[1:]] + [("latest", "")] * 2
    )
    assert ledger(worker) == [(0, 1)]
    assert [(ack.first, ack.next, ack.error) for ack in worker.acks()] == [(0, 1, "")]
    assert {each["payload"]["metadata"]["reference_version"] for each in worker.events("enriched")} == {3}
    expect_newest_is_shown(worker, tick["tenant"])
    left = (header.claim(ENRICHED), states_of(name), latest_of(name))
    assert [claims.get(worker.context.redis, claim) for claim in left] == [None] * 3


def test_a_repeat_repeats_the_ids_of_its_ticks_and_tells_nothing(worker: Worker, tick: Row) -> None:
    worker.land([tick], batch_id="same")
    ids, log = worker.ids(), told(worker)
    worker.land([tick], batch_id="same")
    again = worker.ids()
    assert {kind: set(found) for kind, found in again.items()} == {kind: set(found) for kind, found in ids.items()}
    assert again["bars"] == ids["bars"]
    assert told(worker) == log
    assert len(worker.acks()) == 2


def test_a_correction_is_told_under_a_new_id(worker: Worker, tick: Row) -> None:
    worker.land([tick])
    worker.land([correction(tick, -7, 1)])
    found = worker.ids()
    assert {kind: (len(ids), len(set(ids))) for kind, ids in found.items()} == {
        "normalized": (2, 2), "enriched": (2, 2), "bars": (10, 10),
    }  # fmt: skip
    assert told(worker).count(("bar", "1m")) == told(worker).count(("latest", "")) == 2
    assert {payload["close"] for payload in newest(worker).values()} == {-7}
    expect_newest_is_shown(worker, tick["tenant"])


def test_a_bar_that_loses_its_last_price_is_told_without_one(worker: Worker, tick: Row) -> None:
    worker.land([tick])
    worker.land([correction(tick, 10, 1) | {"flags": 64}])
    assert {(payload["close"], payload["count"]) for payload in newest(worker).values()} == {(None, 0)}
    assert shown(worker, tick["tenant"]) == {}


# In the order in which `landed` takes them: who dies before one has died after the one before.
STEPS: list[tuple[Any, str]] = [
    (outgoing, "send_bars"), (landed, "append_bars"), (changes.changes, "mark_told"), (project, "write_latest"),
    (outgoing, "send_ticks"), (project, "append_ledger"), (project, "report"), (claims, "drop"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_worker_may_die_before_any_step(
    worker: Worker, tick: Row, monkeypatch: pytest.MonkeyPatch, module: Any, step: str
) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise Died

    worker.store([tick])
    batches, name = worker.run_pass()
    if step == "drop":
        project.latest(name)  # so that the first drop is the last one
    with monkeypatch.context() as patch:
        patch.setattr(module, step, die)
        with pytest.raises(Died):
            project.landed(batches, name)
    assert bool(worker.acks()) == (step == "drop")
    project.landed(batches, name)  # the task comes back
    worker.land([tick], batch_id=batches[0]["batch_id"])  # and the bridge sends the batch again
    found = worker.ids()
    assert {kind: len(set(ids)) for kind, ids in found.items()} == {"normalized": 1, "enriched": 1, "bars": 5}
    assert set(told(worker)) == {("latest", ""), *(("bar", each) for each in STREAM)}
    assert told(worker).count(("latest", "")) == 1
    assert ledger(worker) == [(0, 1)]
    assert worker.acks()
    expect_newest_is_shown(worker, tick["tenant"])


def test_what_has_landed_stays_so_when_the_rest_takes_too_long(
    worker: Worker, tick: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        worker.store([correction(tick, number, number)], first=number)
    batches, name = worker.run_pass()
    monkeypatch.setattr(project, "AT_ONCE", 1)
    real, sent = outgoing.send_ticks, list[bool]()

    def killed(*arguments: Any) -> None:
        sent.append(True)
        if len(sent) == 3:
            raise Died
        real(*arguments)

    monkeypatch.setattr(outgoing, "send_ticks", killed)
    with pytest.raises(Died):
        project.landed(batches, name)
    assert [ack.first for ack in worker.acks()] == [0, 1]
    project.landed(batches, name)
    assert [ack.first for ack in worker.acks()] == [2]
    assert ledger(worker) == [(0, 1), (1, 2), (2, 3)]
    assert [len(ids) for ids in worker.ids().values()] == [3, 3, 5]


def test_landed_twice_tells_once(worker: Worker, tick: Row) -> None:
    worker.store([tick])
    batches, name = worker.run_pass()
    project.landed(batches, name)
    log, ids = told(worker), worker.ids()
    project.landed(batches, name)
    assert (told(worker), worker.ids(), len(worker.acks())) == (log, ids, 1)
    assert worker.failures("project.gone") == 1


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
    real, raced = outgoing.contents, list[bool]()

    def overtaken(*arguments: Any) -> Any:
        found = real(*arguments)
        if not raced:
            raced.append(True)
            worker.land([correction(tick, 11, 1)])
        return found

    monkeypatch.setattr(outgoing, "contents", overtaken)
    project.landed(*older)
    minutes = [each["payload"] for each in worker.events("bars") if each["payload"]["interval"] == "1m"]
    assert [payload["close"] for payload in minutes] == [11, 10], "the race was lost"
    expect_newest_is_shown(worker, tick["tenant"])
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
        made = {"normalized": 1, "enriched": 1, "bars": 5}
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
