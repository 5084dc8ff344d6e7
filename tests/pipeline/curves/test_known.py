"""Every version of every snapshot, against a replay message by message in plain Python."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curves.inputs import KINDS
from pipeline.curves.snapshot import Built, build
from tests.db.clickhouse.rows import publications
from tests.pipeline.curves.making import CALENDAR, CURVE, MONDAY, Row, at, chain, generic, strip
from verify import curves as brute
from verify.model import Publication

DAYS = st.sampled_from([MONDAY + timedelta(days=step) for step in range(-2, 9)])
PRICES = st.sampled_from(["3", "3.5", "-1"])
CODES = st.sampled_from(["NGJ26", "NGK26", "NG-Q2-27", "NG=F"])
MESSAGES = st.builds(dict, offset=st.integers(0, 5), version=st.integers(0, 1))
EXAMPLES = settings.default.max_examples // 2  # pyright: ignore[reportOptionalMemberAccess]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RULES = brute.Rules(
    "henry_hub.futures.", "NG", CURVE.session_zone, CURVE.session_end, CURVE.max_age, CALENDAR.holidays,
    {row[0]: brute.Contract(*row) for row in CALENDAR.of(CURVE).iter_rows()},
)  # fmt: skip


def _chained(day: date, hour: int, code: str, price: str, more: dict[str, Any]) -> list[Row]:
    return [chain(at(day, hour), code, price, **more)]


def _ticked(day: date, code: str, price: str, more: dict[str, Any], *, traded: bool) -> list[Row]:
    return [generic(code, at(day, 11), price, volume=Decimal(1) if traded else None, **more)]


def _settled(day: date, price: str, more: dict[str, Any]) -> list[Row]:
    return strip(day, price, "3.25", **more)


ROWS = st.lists(
    st.one_of(
        st.builds(_chained, DAYS, st.sampled_from([9, 17, 19]), CODES, PRICES, MESSAGES),
        st.builds(_ticked, DAYS, CODES, PRICES, MESSAGES, traded=st.booleans()),
        st.builds(_settled, DAYS, PRICES, MESSAGES),
    ),
    min_size=1,
    max_size=14,
).map(lambda groups: [row for group in groups for row in group])


def distinct(rows: list[Row]) -> list[Row]:
    """One row of each publication: a message says a thing once."""
    keys = ("instrument", "ts", "source_rank", "event_id", "offset")
    return list({tuple(row[name] for name in keys): row for row in rows}.values())


def micros(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - EPOCH) // timedelta(microseconds=1)


def publication(row: Row) -> Publication:
    price, volume = (None if row[name] is None else int(row[name].scaleb(9)) for name in ("price", "volume"))
    when = {name: micros(row[name]) for name in ("ts", "known_at", "start", "hold_end")}
    values: dict[str, Any] = {**row, **when, "price": price, "volume": volume, "parts": ()}
    return Publication(*(values[name] for name in Publication._fields))


def replayed(rows: list[Row]) -> dict[date, brute.Snapshot]:
    named = {row["instrument"] for row in rows}
    every = list(brute.quotes([(n, [publication(r) for r in rows if r["instrument"] == n]) for n in named], RULES))
    by_own = {own: [each for each in every if each.own == own] for own in {each.own for each in every}}
    found = {own: brute.snapshot(by_own, own, RULES) for own in by_own}
    return {own: made for own, made in found.items() if made is not None}


def made(rows: list[Row]) -> Built:
    return build(CURVE, publications(rows), CALENDAR)


def shown(built: Built, day: date) -> list[tuple[str, int, str, int]]:
    rows = built.inputs.filter(session=day).with_columns(pl.col("price").to_physical())
    return [
        (name, price, KINDS[kind], age)
        for name, price, kind, age in rows.select("contract", "price", "kind", "age").rows()
    ]


@given(ROWS)
def test_every_snapshot_is_that_of_the_replay(rows: list[Row]) -> None:
    rows = distinct(rows)
    built, wanted = made(rows), replayed(rows)
    assert set(built.heads["session"]) == set(wanted)
    for head in built.heads.iter_rows(named=True):
        one = wanted[head["session"]]
        assert shown(built, head["session"]) == [(p.contract.name, p.price, p.kind, p.age) for p in one.points]
        assert (head["version"], micros(head["known_at"])) == (one.version, one.known_at)
        assert micros(head["first_known"]) == one.first_known


@settings(max_examples=EXAMPLES)
@given(ROWS, st.randoms(use_true_random=False))
def test_order_of_arrival_and_repetition_change_nothing(rows: list[Row], random: Any) -> None:
    rows = distinct(rows)
    other = rows.copy()
    random.shuffle(other)
    one, two = made(rows), made(other)
    assert one.heads.equals(two.heads)
    assert one.points.equals(two.points)


@settings(max_examples=EXAMPLES)
@given(ROWS)
def test_what_was_known_at_each_version_is_what_was_shown_then(rows: list[Row]) -> None:
    rows = distinct(rows)
    versions = made(rows).versions
    for known_at in versions["known_at"].unique():
        then = made([row for row in rows if row["known_at"] <= known_at]).heads
        for version in versions.filter(known_at=known_at).iter_rows(named=True):
            [head] = then.filter(session=version["session"]).to_dicts()
            assert (head["version"], head["known_at"]) == (version["version"], known_at)
