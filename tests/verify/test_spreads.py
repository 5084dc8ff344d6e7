"""The brute force of spreads: right by hand, and equal to what the pass derives from anything that lands."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.spreads.definitions import of_row
from tests.pipeline.spreads.making import CONTRACTS, HOUR, LABOR_DAY, NOON, Row, derived, leg, published, row
from verify.model import Publication
from verify.spread_parts import Calendar, Definition, peaks, us
from verify.spreads import Derived, Series, differences, expected, grouped

GAS = "henry_hub.spot.HENRY_HUB"
DA, RT, NODE, QUARTER = "pjm.da_hourly.1", "pjm.rt_hourly.1", "pjm.da_hourly.2", "ercot.rt_15min.X"
MIDNIGHT = datetime(2025, 8, 29, 4, tzinfo=UTC)  # a Friday in New York; Monday is Labor Day


@cache
def calendar() -> Calendar:
    listed = [(last, name) for name, last in CONTRACTS.items()]
    nerc = frozenset({LABOR_DAY})
    return Calendar(frozenset({LABOR_DAY}), nerc, {("henry_hub", "NG"): sorted(listed)}, peaks())


def publication(each: Row) -> Publication:
    parts = tuple(units(each[name]) for name in ("energy", "congestion", "loss", "ghg", "bid", "ask"))
    return Publication(
        us(each["ts"]), each["source_rank"], each["event_id"], each["version"], us(each["known_at"]), each["topic_id"],
        each["partition"], each["offset"], each["row"], us(each["start"]), None, units(each["price"]) or 0, None, parts,
        each["flags"],
    )  # fmt: skip


def units(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount.scaleb(9))


def series(rows: Sequence[Row]) -> dict[tuple[str, str], Series]:
    """By tenant and instrument."""
    found: dict[tuple[str, str], list[Publication]] = defaultdict(list)
    for each in rows:
        found[each["tenant"], each["instrument"]].append(publication(each))
    return {who: grouped(own) for who, own in found.items()}


def brute(every: dict[tuple[str, str], Series], given_row: dict[str, Any]) -> Derived:
    def read(tenant: str, instrument: str) -> Series:
        return every.get((tenant, instrument)) or grouped([])

    names = ("tenant", "spread", "valid_from", "valid_to", "zone", "legs")
    return expected(Definition(*(given_row[name] for name in names)), read, calendar())


def by_pass(rows: list[Row], *given_rows: dict[str, Any]) -> dict[tuple[str, str], list[Publication]]:
    """Of each tenant's instrument that has any, from one pass of all definitions."""
    found: dict[tuple[str, str], list[Publication]] = defaultdict(list)
    for each in derived([of_row(one) for one in given_rows], rows):
        found[each["tenant"], each["instrument"]].append(publication(each))
    return found


SPREADS = (
    row("dart.a", leg(DA), leg(RT, "-1")),
    row("dart.own", leg(DA), leg(RT, "-1"), tenant="acme"),
    row("dart.until", leg(DA), leg(RT, "-1"), valid_from=date(2025, 8, 29), valid_to=date(2025, 8, 30)),
    row("dart.x", leg("ercot.da_hourly.X"), leg(QUARTER, "-1", align="mean"), zone="America/Chicago"),
    row("basis.b", leg(NODE), leg(DA, "-1")),
    row("spark.c", leg(DA), leg(GAS, "-1", align="flow_day", factor="7.25", factor_unit="MMBtu/MWh")),
    row("heat_rate.d", leg(DA), leg(GAS, align="gas_day")),
    row("peak.e", leg(DA, align="block", block="peak"), leg(DA, "-1", align="block", block="offpeak")),
    row("calendar.f", {"contract": "henry_hub.NGX25"}, {"contract": "henry_hub.NGZ25", "weight": "-1"}),
)
HOURS = [MIDNIGHT + hour * HOUR for hour in (-1, 0, 9, 23, 24, 24 * 4)]
QUARTERS = [MIDNIGHT + quarter * timedelta(minutes=15) for quarter in range(8)]
DAYS = [datetime(2025, 8, day, tzinfo=UTC) for day in (27, 28, 29, 31)] + [datetime(2025, 9, 26, tzinfo=UTC)]
STAMPS = {
    DA: HOURS, RT: HOURS, NODE: HOURS, "ercot.da_hourly.X": HOURS, QUARTER: QUARTERS, GAS: DAYS,
    "henry_hub.futures.NG02": DAYS, "henry_hub.futures.NG03": DAYS, "henry_hub.futures.NG01": DAYS,
}  # fmt: skip


@st.composite
def landed(draw: st.DrawFn) -> list[Row]:
    """Publications of few prices: corrected, withdrawn, of several tenants, several in a message."""
    rows: list[Row] = []
    for number in range(draw(st.integers(0, 30))):
        name = draw(st.sampled_from(sorted(STAMPS)))
        amount = st.integers(-30, 3000).map(lambda cents: str(Decimal(cents) / 100))
        parts = {part: Decimal(draw(amount)) for part in ("energy", "congestion", "loss") if draw(st.booleans())}
        made = published(
            name, draw(st.sampled_from(STAMPS[name])), draw(amount), draw(st.integers(0, 9)), row=number,
            version=draw(st.integers(0, 1)), tenant=draw(st.sampled_from(["public", "public", "acme", "other"])),
            flags=draw(st.sampled_from([1, 1, 1, 5, 64, 129])), **parts,
        )  # fmt: skip
        rows.append(made)
    day = [published(DA, MIDNIGHT + hour * HOUR, str(hour), 3, row=100 + hour) for hour in range(24)]
    return rows + (day if draw(st.booleans()) else [])


EXAMPLES = settings.default.max_examples // 2  # pyright: ignore[reportOptionalMemberAccess]


@settings(max_examples=EXAMPLES)
@given(landed())
def test_the_pass_derives_what_the_brute_force_does(rows: list[Row]) -> None:
    have, every = by_pass(rows, *SPREADS), series(rows)
    for each in SPREADS:
        definition = of_row(each)
        found = have.pop((definition.tenant, definition.instrument), [])
        assert list(differences("it", brute(every, each), found)) == []
    assert not have


def test_a_dart_by_hand() -> None:
    rows = [published(DA, NOON, "66.677576"), published(RT, NOON, "172.600812", 1)]
    ((key, value),) = brute(series(rows), SPREADS[0]).items()
    assert key == (us(NOON), (us(NOON) + 60_000_000, "t", 0, 1))
    assert (value.price, value.flags) == (-105_923_236_000, 3)


def test_what_is_missing_extra_or_otherwise_is_told() -> None:
    rows = [published(DA, NOON, "5"), published(RT, NOON, "3", 1)]
    wanted, ((one,),) = brute(series(rows), SPREADS[0]), by_pass(rows, SPREADS[0]).values()
    wrong = [[], [one, one._replace(offset=7)], [one._replace(price=1)], [one._replace(flags=3)]]
    for have in wrong:
        (found,) = differences("it", wanted, have)
        assert found.invariant == "spread"
    withdrawn = one._replace(flags=512)
    assert not list(differences("it", {}, [withdrawn])), "withdrawn, so nothing is there"
    assert list(differences("it", wanted, [withdrawn]))


def test_legs_are_what_the_rows_say() -> None:
    assert json.loads(str(SPREADS[0]["legs"]))[1]["weight"] == "-1"
    assert pl.DataFrame(SPREADS).height == len(SPREADS)
