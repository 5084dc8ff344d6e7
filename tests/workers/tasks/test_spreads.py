"""Spreads in passes on the real servers: whatever lands in whatever order, what is stored is what follows from it."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import polars as pl
import pytest

from db.clickhouse import reads
from db.clickhouse.bars import run_pass
from db.clickhouse.derived import mark, marked
from db.clickhouse.frames import fetch
from db.clickhouse.query import Query
from db.clickhouse.spreads import insert_derived, publications, spreads_with_values
from db.clickhouse.ticks import insert_ticks
from db.redis import chains
from pipeline.bars import touched
from pipeline.flags import Flag
from pipeline.schema import TICKS, conform
from pipeline.spreads.calendars import Calendars
from pipeline.spreads.cells import cells
from pipeline.spreads.definitions import Definition, of_row
from pipeline.spreads.derive import derive
from pipeline.spreads.plan import Plan, plan_of
from tests.db.clickhouse.rows import fresh_tenant
from tests.pipeline.spreads.making import HOUR, Row, calendars, frame, leg, published, row
from tests.workers.tasks.passing import Worker
from workers import history, spread_history, spreads
from workers.context import Context
from workers.queues import DERIVE, LANDED
from workers.tasks import aggregate
from workers.tasks import derive as derive_task

pytestmark = pytest.mark.stack

START: Final = datetime(2025, 5, 1, 4, tzinfo=UTC)
DA, RT, NODE = "pjm.da_hourly.1", "pjm.rt_hourly.1", "pjm.da_hourly.2"
ADVISORY: Final = int(Flag.ADVISORY)
Value = tuple[str, datetime, datetime, int, Decimal, int]


def definitions(tenant: str) -> list[Definition]:
    dart = row("dart.one", leg(DA), leg(RT, "-1"), tenant=tenant)
    basis = row("basis.two", leg(NODE), leg(DA, "-1"), tenant=tenant)
    return [of_row(dart), of_row(basis)]


def plan(tenant: str) -> Plan:
    return plan_of(definitions(tenant), calendars())


def messages(tenant: str) -> list[list[Row]]:
    """Two hours of three instruments: corrected, of an older version, withdrawn, and given again."""
    later = START + HOUR

    def message(offset: int, *prices: tuple[str, datetime, str, dict[str, Any]]) -> list[Row]:
        return [
            published(name, start, price, offset, tenant=tenant, row=at, **more)
            for at, (name, start, price, more) in enumerate(prices, 1)
        ]

    return [
        message(0, (DA, START, "30", {}), (NODE, START, "28.5", {}), (DA, later, "31", {}), (NODE, later, "35", {})),
        message(1, (RT, START, "25.25", {})),
        message(2, (RT, START, "24", {"version": 2}), (RT, later, "40", {})),
        message(3, (RT, START, "99", {"version": 1}), (DA, START, "30.5", {})),
        message(4, (RT, later, "41", {"flags": ADVISORY})),
        message(5, (RT, later, "42", {}), (NODE, START, "1", {})),
    ]


def stored(worker: Worker, tenant: str) -> list[Value]:
    """Every derived publication that stands."""
    sql = """SELECT instrument, start, known_at, `offset`, price, flags FROM ticks FINAL
        WHERE tenant = {tenant:String} AND market = 'spread' ORDER BY instrument, start, known_at"""
    return fetch(worker.context.clickhouse, Query(sql, {"tenant": tenant})).rows()


def expected(rows: Sequence[Row]) -> list[Value]:
    """By plain loops: at every message, the difference of what stood then."""
    pairs = {"spread.basis.two": (NODE, DA), "spread.dart.one": (DA, RT)}
    found: list[Value] = []
    for name, pair in pairs.items():
        for start in sorted({each["start"] for each in rows}):
            of = [each for each in rows if each["instrument"] in pair and each["start"] == start]
            for offset in sorted({each["offset"] for each in of}):
                now = [_standing(of, instrument, offset) for instrument in pair]
                if None in now:
                    continue
                found.append((name, start, *_difference(now, offset)))
    return found


def _standing(rows: Sequence[Row], instrument: str, offset: int) -> Row | None:
    known = [each for each in rows if each["instrument"] == instrument and each["offset"] <= offset]
    return max(known, key=lambda each: (each["version"], each["offset"], each["row"]), default=None)


def _difference(now: Sequence[Row | None], offset: int) -> tuple[datetime, int, Decimal, int]:
    first, second = (each for each in now if each is not None)
    known = published(DA, START, "0", offset)["known_at"]
    if (first["flags"] | second["flags"]) & ADVISORY:
        return known, offset, Decimal(0), int(Flag.NO_VALUE)
    price = first["price"] - second["price"]
    return known, offset, price, int(Flag.VALID | (Flag.PRICE_NEGATIVE if price < 0 else 0))


def insert(worker: Worker, rows: Sequence[Row]) -> pl.DataFrame:
    """Stores publications as they are; the buckets that they touch."""
    ticks = conform(frame(list(rows)).drop("parser_version"), TICKS)
    insert_ticks(worker.context.clickhouse, ticks)
    return touched(ticks)


@pytest.mark.parametrize("seed", range(6))
def test_every_order_of_landing_gives_the_same(worker: Worker, seed: int) -> None:
    tenant, chance = fresh_tenant(), random.Random(seed)
    every = messages(tenant)
    chance.shuffle(every)
    together = [every[:2], every[2:3], every[3:], every[1:4]]  # some land twice
    for some in together:
        buckets = insert(worker, [each for message in some for each in message])
        spreads.derived(worker.context, plan(tenant), buckets)
    assert stored(worker, tenant) == expected([each for message in messages(tenant) for each in message])


@pytest.mark.parametrize("first_to_store", [0, 1])
def test_of_two_passes_that_race_the_one_that_saw_more_stands(worker: Worker, first_to_store: int) -> None:
    """The first pass read before the second message was there, and stores before or after the second pass does."""
    tenant = fresh_tenant()
    given = plan(tenant)
    every = messages(tenant)
    made: list[pl.DataFrame] = []
    for some in ([*every[0], *every[3]], every[1] + every[2]):
        buckets = insert(worker, some)
        found = cells(given, buckets)
        keys = pl.DataFrame(
            [(tenant, name, start) for name in (DA, RT, NODE) for start in (START, START + HOUR)],
            {"tenant": pl.String(), "instrument": pl.String(), "start": pl.Datetime("us", "UTC")},
            orient="row",
        )
        made.append(derive(given, found, publications(worker.context.clickhouse, keys)))
    for each in (made[first_to_store], made[1 - first_to_store]):
        insert_derived(worker.context.clickhouse, each)
    rows = [each for message in every[:4] for each in message]
    assert stored(worker, tenant) == expected(rows)


def test_a_pass_brings_the_values_and_the_task_those_of_history(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = fresh_tenant()
    given, every = plan(tenant), messages(tenant)
    plans = [plan_of([], calendars())]

    def newest(_: Context) -> Plan:
        return plans[-1]

    monkeypatch.setattr(spreads, "plan", newest)
    worker.land([conform_row(each) for each in every[0]])  # before there is a definition
    plans.append(given)
    for number, message in enumerate(every[1:], 1):
        worker.store([conform_row(each) for each in message], first=number)
        aggregate.run_pass()
    asked = [each for each in worker.sent if each[0] == DERIVE]
    rows = [each for message in every for each in message]
    assert [value[3] for value in stored(worker, tenant) if value[0] == "spread.basis.two"] == [0, 3, 5]
    digests = sorted(spread_history.marks(given))
    assert asked == [(DERIVE, digests)]
    monkeypatch.setattr("workers.history._ASKED.plan", None)
    assert DERIVE not in history.undone(worker.context, given), "another process begins no second chain"
    derive_task.derive(["0" * 64, *digests])
    assert stored(worker, tenant) == expected(rows)
    assert set(digests) <= marked(worker.context.clickhouse)
    assert "0" * 64 not in marked(worker.context.clickhouse), "what is not defined any more is not done"
    assert chains.begin(worker.context.redis, DERIVE), "the next one may begin"
    ((_, batches, _),) = [each for each in worker.sent if each[0] == LANDED][-1:]
    assert batches == []


def conform_row(each: Row) -> Row:
    return {name: value for name, value in each.items() if name in TICKS}


def test_bars_and_as_of_serve_the_values(worker: Worker) -> None:
    tenant = fresh_tenant()
    given, every = plan(tenant), messages(tenant)
    for message in every:
        buckets = spreads.with_spreads(worker.context, given, insert(worker, message))
        run_pass(worker.context.clickhouse, buckets, lambda _: None)
    scope = reads.Scope([tenant], ["spread.dart.one"])
    span = reads.Range(START, START + timedelta(days=1), 100)
    bars = fetch(worker.context.clickhouse, reads.read_bars(scope, "1d", reads.Range(START - HOUR, span.end, 9)))
    assert bars.select("start", "open", "close", "count", "revision").rows() == [(START, Decimal("6.5"), -11, 2, 4)]
    then = every[1][0]["known_at"]
    known = fetch(worker.context.clickhouse, reads.read_ticks(scope, span, known=then))
    assert known["price"].to_list() == [Decimal("4.75")]


def test_instruments_are_registered_with_zone_and_unit(worker: Worker) -> None:
    tenant = fresh_tenant()
    for message in messages(tenant):
        spreads.derived(worker.context, plan(tenant), insert(worker, message))
    known = worker.context.reference(fresh=True).filter(pl.col("tenant") == tenant)
    columns = ("instrument", "market", "product", "location", "unit", "currency", "zone", "complete")
    assert sorted(known.select(columns).rows()) == [
        ("spread.basis.two", "spread", "basis", "two", "USD/MWh", "USD", "America/New_York", True),
        ("spread.dart.one", "spread", "dart", "one", "USD/MWh", "USD", "America/New_York", True),
    ]


def test_a_definition_that_comes_later_has_values_over_all_history(worker: Worker) -> None:
    tenant = fresh_tenant()
    rows = [each for message in messages(tenant) for each in message]
    insert(worker, rows)
    given = plan(tenant)
    digests = sorted(spread_history.marks(given) - marked(worker.context.clickhouse))
    assert len(digests) == 2
    steps = list(spread_history.history(worker.context, given, digests, None))
    assert stored(worker, tenant) == expected(rows)
    assert steps[-1].until >= START.replace(hour=0)
    assert not list(spread_history.history(worker.context, given, digests, steps[-1].until))
    mark(worker.context.clickhouse, digests)
    assert set(digests) <= marked(worker.context.clickhouse)
    assert {(tenant, "dart.one"), (tenant, "basis.two")} <= spreads_with_values(worker.context.clickhouse)


def bars(worker: Worker, tenant: str, name: str) -> list[tuple[datetime, Decimal]]:
    scope = reads.Scope([tenant], [name])
    found = fetch(worker.context.clickhouse, reads.read_bars(scope, "1h", reads.Range(START, START + 24 * HOUR, 9)))
    return found.select("start", "close").rows()


def test_a_definition_that_ends_in_the_past_leaves_no_value_beyond_and_the_next_one_takes_over(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days of Tokyo: the second hour, 15:00 UTC, is of the next day."""
    tenant, first, second = fresh_tenant(), START.replace(hour=14), START.replace(hour=15)
    more: dict[str, Any] = {"tenant": tenant, "zone": "Asia/Tokyo"}
    one = of_row(row("dart.one", leg(DA), leg(RT, "-1"), **more))
    ended = of_row(row("dart.one", leg(DA), leg(RT, "-1"), **more, valid_to=date(2025, 5, 2)))
    after = of_row(row("dart.one", leg(DA), leg(RT, "-2"), **more, valid_from=date(2025, 5, 2)))
    plans = [plan_of([one], calendars())]
    monkeypatch.setattr(spreads, "plan", lambda _: plans[-1])  # pyright: ignore[reportUnknownLambdaType]
    for number, (name, price) in enumerate([(DA, "30"), (RT, "20"), (RT, "21")]):
        rows = [
            published(name, start, price, number, tenant=tenant, row=at) for at, start in enumerate((first, second))
        ]
        worker.store([conform_row(each) for each in rows], first=number)
        aggregate.run_pass()
    assert bars(worker, tenant, "spread.dart.one") == [(first, 9), (second, 9)]
    for definitions, wanted in (([ended], [(first, 9)]), ([ended, after], [(first, 9), (second, -12)])):
        plans.append(plan_of(definitions, calendars()))
        derive_task.derive(sorted(spread_history.marks(plans[-1])))
        assert bars(worker, tenant, "spread.dart.one") == wanted
        values = [(value[1], value[3], value[4]) for value in stored(worker, tenant) if value[5] != int(Flag.NO_VALUE)]
        assert values[-1][::2] == wanted[-1]
    again = spread_history.history(worker.context, plans[-1], spread_history.marks(plans[-1]), None)
    assert all(step.touched.is_empty() for step in again), "what is right is not written again"


def test_after_a_change_of_the_calendar_nothing_of_the_older_one_stands(worker: Worker) -> None:
    """A contract becomes another nearby position, which has seen fewer prices."""
    tenant, day = fresh_tenant(), datetime(2025, 9, 10, tzinfo=UTC)
    legs = ({"contract": "henry_hub.NGV25", "weight": "-1"}, {"contract": "henry_hub.NGX25"})
    one = of_row(row("calendar.x", *legs, tenant=tenant))
    prices = [("NG01", "3", 0), ("NG01", "3.1", 1), ("NG02", "3.5", 2), ("NG03", "4", 3)]
    span = {"tenant": tenant, "end": day + timedelta(days=1)}
    rows = [published(f"henry_hub.futures.{name}", day, price, at, **span) for name, price, at in prices]
    before = plan_of([one], calendars())
    spreads.derived(worker.context, before, insert(worker, rows))
    assert [value[3:5] for value in stored(worker, tenant)] == [(2, Decimal("0.4"))]
    earlier = pl.DataFrame(
        [("henry_hub", "NGU25", "NG", date(2025, 9, 15), 0)], before.calendars.contracts.schema, orient="row"
    )
    contracts = pl.concat([earlier, before.calendars.contracts]).with_columns(nth=pl.col("nth") + 1)
    after = plan_of([one], Calendars(before.calendars.holidays, contracts))
    marks = spread_history.marks(after)
    assert marks.isdisjoint(spread_history.marks(before))
    for plan, wanted in ((after, [(3, Decimal("0.5"))]), (before, [(2, Decimal("0.4"))])):
        assert list(spread_history.history(worker.context, plan, spread_history.marks(plan), None))
        valued = [value[3:5] for value in stored(worker, tenant) if value[5] != int(Flag.NO_VALUE)]
        assert valued == wanted


def test_of_two_definitions_the_one_that_fails_is_left_out(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = fresh_tenant()
    derive_all = spreads.derive

    def broken(plan: Plan, *given: pl.DataFrame) -> pl.DataFrame:
        if any(each.spread == "dart.one" for each in plan.definitions):
            raise ZeroDivisionError
        return derive_all(plan, *given)

    monkeypatch.setattr(spreads, "derive", broken)
    failed = worker.failures("aggregate.spreads")
    for message in messages(tenant):
        spreads.with_spreads(worker.context, plan(tenant), insert(worker, message))
    rows = [each for message in messages(tenant) for each in message]
    assert stored(worker, tenant) == [each for each in expected(rows) if each[0] == "spread.basis.two"]
    assert worker.failures("aggregate.spreads") > failed
