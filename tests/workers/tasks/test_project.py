"""What others learn of a pass, wherever a worker dies and however often it is told."""

from typing import Any

import msgspec
import pytest

from db.redis import claims, landed, telling
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import DAY, document
from tests.workers.tasks.heard import STREAM, correction, expect_newest_is_shown, ledger, newest, shown, told
from tests.workers.tasks.passing import Worker
from workers import changes, outgoing, prices
from workers.header import ENRICHED, latest_of, states_of
from workers.tasks import project

pytestmark = pytest.mark.stack


class Died(BaseException):
    """The process was killed here."""


def test_a_pass_is_told_whole_before_it_has_landed(worker: Worker, tick: Row) -> None:
    header = worker.store([tick, document(tick["tenant"], DAY, "-5", offset=1)])
    batches, name = worker.run_pass()
    project.landed(batches, name)
    written = {kind: len(found) for kind, found in worker.ids().items()}
    assert written == {"normalized": 2, "enriched": 2, "bars": 9, "curves": 0}
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
        "normalized": (2, 2), "enriched": (2, 2), "bars": (10, 10), "curves": (0, 0),
    }  # fmt: skip
    assert told(worker).count(("bar", "1m")) == told(worker).count(("latest", "")) == 2
    assert {payload["close"] for payload in newest(worker).values()} == {-7}
    expect_newest_is_shown(worker, tick["tenant"])


def test_a_bar_that_loses_its_last_price_is_told_without_one(worker: Worker, tick: Row) -> None:
    worker.land([tick])
    worker.land([correction(tick, 10, 1) | {"flags": 64}])
    assert {(payload["close"], payload["count"]) for payload in newest(worker).values()} == {(None, 0)}
    assert shown(worker, tick["tenant"]) == {}


def test_ticks_are_told_by_their_offsets_once(worker: Worker, tick: Row) -> None:
    def offsets() -> list[tuple[str, int, int]]:
        read = landed.read(worker.context.redis, landed.BEGINNING)
        return [(each.tenant, each.offsets.first, each.offsets.next) for each in read.entries if each.offsets]

    worker.land([tick])
    worker.land([tick])
    worker.land([correction(tick, 5, 1)], first=1)
    assert offsets() == [(tick["tenant"], 0, 1), (tick["tenant"], 1, 2)]


def test_the_log_holds_what_prices_and_bars_have_become(worker: Worker, tick: Row) -> None:
    worker.land([tick])
    worker.land([correction(tick, -5, 1)], first=1)
    entries = landed.read(worker.context.redis, landed.BEGINNING).entries
    held = [msgspec.json.decode(each) for entry in entries for each in landed.contents(entry)]
    minutes = [each for each in held if each.get("interval") == "1m"]
    assert [(each["close"], each["revision"]) for each in minutes] == [("10.000000000", 0), ("-5.000000000", 1)]
    assert minutes[0]["ver"] < minutes[1]["ver"]
    shown_prices = [(each["price"], each["revision"]) for each in held if "price" in each]
    assert shown_prices == [("10.000000000", 0), ("-5.000000000", 1)]


# In the order in which `landed` takes them: who dies before one has died after the one before.
STEPS: list[tuple[Any, str]] = [
    (outgoing, "send_bars"), (telling, "append"), (changes.changes, "mark_told"), (prices, "write_latest"),
    (outgoing, "send_ticks"), (project, "append_ledger"), (project, "report"), (claims, "drop"),
]  # fmt: skip


# Alone those that stand between telling and noting that it was told; one death after the other all of them.
ALONE = ("append", "mark_told", "drop")
DEATHS = {name: [each for each in STEPS if each[1] == name] for name in ALONE} | {"each in turn": STEPS}


@pytest.mark.parametrize("deaths", DEATHS.values(), ids=DEATHS)
def test_a_worker_may_die_before_any_step(
    worker: Worker, tick: Row, monkeypatch: pytest.MonkeyPatch, deaths: list[tuple[Any, str]]
) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise Died

    worker.store([tick])
    batches, name = worker.run_pass()
    for module, step in deaths:
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
    assert {kind: len(set(ids)) for kind, ids in found.items()} == {
        "normalized": 1,
        "enriched": 1,
        "bars": 5,
        "curves": 0,
    }
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
    assert [len(ids) for ids in worker.ids().values()] == [3, 3, 5, 0]


def test_landed_twice_tells_once(worker: Worker, tick: Row) -> None:
    worker.store([tick])
    batches, name = worker.run_pass()
    project.landed(batches, name)
    log, ids = told(worker), worker.ids()
    project.landed(batches, name)
    assert (told(worker), worker.ids(), len(worker.acks())) == (log, ids, 1)
    assert worker.failures("project.gone") == 1
