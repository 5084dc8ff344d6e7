"""Snapshots of curves in the store: whole, exact, and never replaced by what saw less."""

from datetime import date, datetime, timedelta

import polars as pl
import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse import curves
from db.clickhouse.curves import Inputs
from db.clickhouse.frames import fetch
from db.clickhouse.ticks import PARSER_VERSION, insert_ticks
from pipeline.curves.snapshot import Built, build
from tests.db.clickhouse.rows import frame, fresh_tenant, publications
from tests.pipeline.curves.making import CALENDAR, CURVE, MONDAY, Row, at, chain, generic, strip

pytestmark = pytest.mark.stack


def stored(client: Client, tenant: str, first: date = MONDAY, last: date = MONDAY) -> curves.Stored:
    return curves.read(fetch(client, curves.in_sessions([tenant], CURVE.curve, first, last, 100)))


def made(rows: list[Row]) -> Built:
    return build(CURVE, publications(rows), CALENDAR)


def test_what_is_stored_is_read_as_it_was_made(client: Client) -> None:
    tenant = fresh_tenant()
    built = made([*strip(MONDAY, "3.1", "2.9"), chain(at(MONDAY, 15), "NGK26", "-2.7"), generic("CAL-99", MONDAY, "1")])
    curves.store(client, tenant, CURVE.curve, built, reference=7)
    found = stored(client, tenant)
    assert found.points.drop("tenant", "curve").equals(built.points)
    assert found.heads.drop("tenant", "curve").equals(built.heads.drop("seen"))


def test_what_saw_less_stands_below_whole(client: Client) -> None:
    tenant = fresh_tenant()
    rows = [*strip(MONDAY, "3.1", "2.9", "2.8"), *strip(MONDAY, "3.2", offset=1)]
    for some, reference in ((rows, 3), (rows[:3], 9)):
        curves.store(client, tenant, CURVE.curve, made(some), reference)
    assert stored(client, tenant).points.drop("tenant", "curve").equals(made(rows).points)


def test_of_as_many_publications_the_newer_reference_stands_without_what_it_left_out(client: Client) -> None:
    tenant = fresh_tenant()
    rows = strip(MONDAY, "3.1", "2.9")
    short = build(CURVE, publications(rows), type(CALENDAR)(CALENDAR.contracts.head(4), CALENDAR.holidays))
    curves.store(client, tenant, CURVE.curve, made(rows), reference=3)
    curves.store(client, tenant, CURVE.curve, short, reference=4)
    assert short.points["role"].to_list() == ["point", "rejected"]
    assert stored(client, tenant).points.drop("tenant", "curve").equals(short.points)


def test_the_newest_of_a_time_is_of_what_stands(client: Client) -> None:
    """On Tuesday the first computation ends at 10:00, the one that stands at 15:00."""
    tenant, tuesday = fresh_tenant(), MONDAY + timedelta(days=1)
    early = [*strip(MONDAY, "3"), chain(at(tuesday, 10), "NGJ26", "3.1", offset=1)]
    for rows in (early, [*early, chain(at(tuesday, 15), "NGK26", "3.2", offset=2)]):
        curves.store(client, tenant, CURVE.curve, made(rows), reference=1)
    for hour, session in ((14, MONDAY), (15, tuesday)):
        found = curves.read(fetch(client, curves.until(tenant, CURVE.curve, at(tuesday, hour))))
        assert found.heads["session"].to_list() == [session]


def test_what_an_older_definition_left_is_removed_and_what_follows_told_though_it_saw_less(client: Client) -> None:
    tenant, rows = fresh_tenant(), [*strip(MONDAY, "3.1", "2.9"), *strip(MONDAY, "3.2", offset=1)]
    told = {"tenant": tenant, "curve": CURVE.curve}
    for some, reference in ((rows, 3), (rows[:2], 4)):
        heads = curves.store(client, tenant, CURVE.curve, made(some), reference)
        state = pl.lit(reference, pl.UInt64)
        now = heads.select(pl.lit(tenant).alias("tenant"), pl.lit(told["curve"]).alias("curve"), "session", "ver")
        now = now.select("tenant", "curve", "session", state.alias("state"), "ver")
        assert curves.untold(client, now).equals(now), reference
        curves.mark_told(client, now)
    assert stored(client, tenant).points.drop("tenant", "curve").equals(made(rows).points)
    curves.forget(client, tenant, CURVE.curve, 4)
    assert stored(client, tenant).points.drop("tenant", "curve").equals(made(rows[:2]).points)


def test_publications_come_once_and_of_the_time_that_is_asked_for(client: Client) -> None:
    tenant = fresh_tenant()
    rows: list[Row] = [
        {**row, "tenant": tenant} for row in [*strip(MONDAY, "3.1", "2.9"), chain(at(MONDAY, 15), "NGK26", "2.7")]
    ]
    rows += [{**row, "tenant": tenant} for row in strip(MONDAY + timedelta(days=1), "3", offset=2)]
    for _ in range(2):
        insert_ticks(client, frame(rows))
    insert_ticks(client, frame(rows[:1]), parser_version=60_000)
    of = Inputs(tenant, "henry_hub", "futures", at(MONDAY, -8), at(MONDAY, 17))
    found = curves.publications_of(client, of)
    assert found.drop("parser_version").sort("instrument").equals(frame(rows[:3]).sort("instrument"))
    assert found["parser_version"].sort().to_list() == [PARSER_VERSION, PARSER_VERSION, 60_000]
    at_once: datetime = rows[0]["known_at"]
    before = curves.publications(of, known=at_once - timedelta(microseconds=1))
    assert fetch(client, before).is_empty()


def test_what_was_told_is_told_again_only_where_it_is_another(client: Client) -> None:
    tenant = fresh_tenant()
    now = pl.DataFrame(
        {
            "tenant": tenant,
            "curve": "c",
            "session": [MONDAY, MONDAY + timedelta(days=1)],
            "state": [1, 2],
            "ver": [5, 5],
        },
        schema_overrides={"state": pl.UInt64, "ver": pl.UInt64},
    )
    assert curves.untold(client, now).equals(now)
    curves.mark_told(client, now)
    other = now.with_columns(state=pl.Series([1, 3], dtype=pl.UInt64))
    assert curves.untold(client, other)["state"].to_list() == [3]
    assert curves.untold(client, other.with_columns(ver=pl.lit(4, pl.UInt64))).is_empty(), "a newer one was told"
