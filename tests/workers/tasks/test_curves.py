"""A pass makes the snapshots of curves again that its prices touch, and tells each change once."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain as chain_of
from typing import Any

import polars as pl
import pytest

from db.clickhouse import curves
from db.clickhouse.derived import marked
from db.clickhouse.frames import fetch
from db.clickhouse.ticks import insert_ticks
from db.kafka.admin import make_admin
from db.kafka.topics import ensure_topics
from db.postgres.reference import register_instruments
from db.redis import landed
from db.reference.snapshot import Snapshot
from pipeline.curves.snapshot import build
from pipeline.errors import DataProcessingError
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import frame, fresh_tenant, publications
from tests.pipeline.curves.making import CALENDAR, CURVE, MONDAY, at, chain, generic, strip
from tests.pipeline.curves.tables import tables
from tests.workers.tasks.passing import Worker
from verify import curve_check
from workers import curve_history
from workers import curves as making
from workers.context import Context
from workers.tasks import aggregate
from workers.tasks import derive as derive_task

pytestmark = pytest.mark.stack
TUESDAY = MONDAY + timedelta(days=1)
NAME = CURVE.curve


@pytest.fixture
def curved(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """A worker whose reference has one curve."""
    real = worker.context.snapshot

    def snapshot(_: Context, *, fresh: bool = False) -> Snapshot:
        return _with(real(fresh=fresh))

    monkeypatch.setattr(Context, "snapshot", snapshot)
    kafka = worker.context.settings.kafka
    ensure_topics(make_admin(kafka.bootstrap), {kafka.curves_topic: {}}, partitions=1)
    return worker


def _with(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, tables={**snapshot.tables, **tables()})


def told(worker: Worker, tenant: str) -> list[Any]:
    """What the topic was told of a tenant, and the landed log as well."""
    events = [each["payload"] for each in worker.events("curves") if each["envelope"]["tenant_id"] == tenant]
    entries = landed.read(worker.context.redis, landed.BEGINNING).entries
    logged = [entry for entry in entries if (entry.kind, entry.tenant) == ("curve", tenant)]
    held = [json.loads(text, parse_float=Decimal) for entry in logged for text in landed.contents(entry)]
    assert held == [{name: value for name, value in each.items() if name != "ver"} for each in events]
    return events


def stored(worker: Worker, tenant: str, first: date = MONDAY, last: date = MONDAY) -> curves.Stored:
    return curves.read(fetch(worker.context.clickhouse, curves.in_sessions([tenant], NAME, first, last, 100)))


def of(tenant: str, rows: list[Row]) -> list[Row]:
    return [{**row, "tenant": tenant} for row in rows]


def test_a_pass_stores_the_snapshot_and_tells_it_once(curved: Worker) -> None:
    tenant = fresh_tenant()
    rows = of(tenant, strip(MONDAY, "3.1", "-2.9"))
    for _ in range(2):
        curved.land(rows)
    found = stored(curved, tenant)
    assert found.points.drop("tenant", "curve").equals(build(CURVE, publications(rows), CALENDAR).points)
    [event] = told(curved, tenant)
    assert (event["curve"], event["session"], event["version"], event["unit"]) == (NAME, "2026-03-02", 0, "USD/MMBtu")
    assert [point["price"] for point in event["points"]] == [Decimal("3.1"), Decimal("-2.9")]


def test_in_any_order_what_is_stored_in_the_end_is_the_same(curved: Worker) -> None:
    messages = [
        strip(MONDAY, "3.1", "2.9"), strip(MONDAY, "3.1", "2.95", offset=3), strip(TUESDAY, "3", offset=1),
        [chain(at(MONDAY, 12), "NGM26", "2.7", offset=2)], [chain(at(TUESDAY, 12), "NGK26", "2.6", offset=4)],
    ]  # fmt: skip
    one, other = fresh_tenant(), fresh_tenant()
    for first, last in zip(messages, messages[::-1], strict=True):
        curved.land([*of(one, first), *of(other, last)])
    wanted = build(CURVE, publications(list(chain_of.from_iterable(messages))), CALENDAR)
    for each in (stored(curved, tenant, MONDAY, TUESDAY) for tenant in (one, other)):
        assert each.points.drop("tenant", "curve").equals(wanted.points)
        assert each.heads.drop("tenant", "curve").equals(wanted.heads.drop("seen"))


def test_a_correction_is_a_new_version_and_is_told(curved: Worker) -> None:
    tenant = fresh_tenant()
    for offset, price in enumerate(("2.9", "2.9", "2.8")):
        curved.land(of(tenant, strip(MONDAY, "3.1", price, offset=offset)))
    found = [(each["version"], each["points"][1]["price"]) for each in told(curved, tenant)]
    assert found == [(0, Decimal("2.9")), (1, Decimal("2.8"))]
    assert stored(curved, tenant).heads["version"].to_list() == [1]


def test_an_older_price_that_comes_late_is_in_the_snapshots_after_it(curved: Worker) -> None:
    tenant = fresh_tenant()
    curved.land(of(tenant, strip(TUESDAY, "3")))
    curved.land(of(tenant, [chain(at(MONDAY, 12), "NGM26", "2.7", offset=1)]))
    points = stored(curved, tenant, TUESDAY, TUESDAY).points
    assert points["age"].to_list() == [0, 1]
    assert points["price"].to_list() == [Decimal(3), Decimal("2.7")]


def _proved(worker: Worker, tenant: str) -> tuple[int, list[str]]:
    """What the proof says of a tenant's snapshots: how many of all there must be, and what differs."""
    number, found = curve_check.check(worker.context.clickhouse, worker.context.snapshot().tables)
    return number, [str(each) for each in found if tenant in each.where]


def test_the_proof_finds_what_was_changed(curved: Worker) -> None:
    tenant = fresh_tenant()
    rows = [
        *strip(MONDAY, "3.1", "2.9"), generic("NG-Q3-26", MONDAY, "4", offset=1), generic("NGN26", MONDAY, "4"),
        generic("NG-Q4-26", MONDAY, "4"), generic("NGX26", MONDAY, "4.5"), *strip(TUESDAY, "3", offset=2),
    ]  # fmt: skip
    curved.land(of(tenant, rows))
    number, found = _proved(curved, tenant)
    assert number >= 2
    assert found == []
    client = curved.context.clickhouse
    for change in ("price = price + 1",):
        statement = f"ALTER TABLE curve_points UPDATE {change} WHERE tenant = {{t:String}} AND session = {{d:Date32}}"
        client.command(statement, parameters={"t": tenant, "d": TUESDAY}, settings={"mutations_sync": 1})
        assert len(_proved(curved, tenant)[1]) == 1, change


def test_a_definition_that_comes_later_has_snapshots_over_all_history(curved: Worker) -> None:
    tenant = fresh_tenant()
    rows = of(tenant, [*strip(MONDAY, "3.1", "2.9"), *strip(TUESDAY, "3", offset=1)])
    insert_ticks(curved.context.clickhouse, frame(rows))
    seen = frame(rows).select("tenant", "instrument", "market", "product", first_seen="known_at").unique("instrument")
    curved.context.runner.wait(register_instruments(curved.context.postgres, seen))
    curved.context.snapshot(fresh=True)
    marks = sorted(curve_history.marks(curved.context))
    derive_task.derive_curves(marks)
    wanted = build(CURVE, publications(rows), CALENDAR)
    assert stored(curved, tenant, MONDAY, TUESDAY).points.drop("tenant", "curve").equals(wanted.points)
    assert set(marks) <= marked(curved.context.clickhouse)
    assert [each["session"] for each in told(curved, tenant)] == ["2026-03-02", "2026-03-03"]


def test_a_changed_definition_leaves_nothing_of_the_older_one(curved: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the contract of the second month, fewer prices are seen, and the snapshots before would stand."""
    tenant = fresh_tenant()
    rows = of(tenant, strip(MONDAY, "3.1", "2.9"))
    curved.land(rows)
    seen = frame(rows).select("tenant", "instrument", "market", "product", first_seen="known_at").unique("instrument")
    curved.context.runner.wait(register_instruments(curved.context.postgres, seen))
    before = curved.context.snapshot(fresh=True)
    fewer = before.tables["contracts"].filter(pl.col("contract") != "NGK26")
    versions = before.versions._replace(tables=before.tables_version + 1)
    after = replace(before, versions=versions, tables={**before.tables, "contracts": fewer})
    monkeypatch.setattr(Context, "snapshot", lambda *_, **__: after)  # pyright: ignore[reportUnknownLambdaType]
    derive_task.derive_curves(sorted(curve_history.marks(curved.context)))
    calendar = replace(CALENDAR, contracts=CALENDAR.contracts.filter(pl.col("contract") != "NGK26"))
    wanted = build(CURVE, publications(rows), calendar).points
    assert stored(curved, tenant).points.drop("tenant", "curve").equals(wanted)


def test_a_definition_that_cannot_be_worked_on_keeps_no_price_from_its_bars(
    curved: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise DataProcessingError("no such block", "api")

    monkeypatch.setattr(making, "build", broken)
    monkeypatch.setattr(aggregate.spreads, "derived", broken)
    failed = curved.failures("aggregate.curves"), curved.failures("aggregate.spreads")
    curved.land(of(fresh_tenant(), strip(MONDAY, "3.1")))
    assert curved.failures("aggregate.curves") == failed[0] + 1
    assert 0 < curved.failures("aggregate.spreads") - failed[1] < 100, "where all fail, it is not tried with each"
    assert len(curved.acks()) == 1
