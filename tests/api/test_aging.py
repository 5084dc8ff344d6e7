"""Age and status of a latest price, against their definition worked out plainly here."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.latest import aging
from api.latest.aging import Row
from api.reads.register import TICK
from pipeline import products
from pipeline.bars import INTERVALS
from pipeline.products import Product
from pipeline.schema import REFERENCE, conform
from service import clock
from tests.api import fakes

START_US: Final = clock.to_us(fakes.START)
MS: Final = 1000
STEP: Final = timedelta(microseconds=1)
DAY_AHEAD: Final = "caiso.da_hourly.NODE"
PRODUCTS: Final = sorted(
    {(market or "any_market", name) for market, name in products.PRODUCTS} | {("any_market", "unknown")}
)


def _latest(*ticks: dict[str, Any], newest: datetime | None = None, mode: str = "newest") -> pl.DataFrame:
    """As `Reads.latest` gives them."""
    found = conform(pl.DataFrame(ticks, schema={name: TICK[name] for name in ticks[0]}), TICK)
    start = pl.col("start") if newest is None else pl.lit(newest, found.schema["start"])
    return found.with_columns(mode=pl.lit(mode), newest_start=start)


def _rows(latest: pl.DataFrame, *, text: bool = False) -> list[Row]:
    known = [fakes.instrument(name, tenant) for tenant, name in latest.select("tenant", "instrument").rows()]
    reference = pl.DataFrame(known, schema=dict(REFERENCE))
    return list(aging.rows(latest, reference, decimals_as_text=text))


def _row(market: str, product: str, newest: datetime | None = None) -> Row:
    (row,) = _rows(_latest(fakes.tick("X", fakes.START, "1", market=market, product=product), newest=newest))
    return row


def _read(rows: Sequence[Row], now: datetime) -> list[dict[str, Any]]:
    return _json(aging.aged(rows, clock.to_us(now)).text(clock.to_us(now)))


def _json(text: bytes) -> list[dict[str, Any]]:
    return json.loads(b"[" + text + b"]", parse_float=Decimal)


# The definition: ages are cut to milliseconds; the next price is due one step after this one, moved by `due`.


def _age_ms(start: datetime, now: datetime) -> int:
    us = (now - start) // STEP
    return abs(us) // MS * (1 if us >= 0 else -1)


def _step(product: Product) -> timedelta:
    native = INTERVALS[product.interval].seconds if product.interval else None
    return timedelta(seconds=native) if native else product.lateness


def _ahead(product: Product) -> timedelta:
    return max(_step(product), product.binding or timedelta())


def _status(product: Product, start: datetime, newest: datetime, now: datetime) -> str:
    age = timedelta(milliseconds=_age_ms(start, now))
    if not product.forward and -age > _ahead(product):
        return "stale"
    told = timedelta(milliseconds=_age_ms(newest, now)) if product.forward else age
    overdue = told - _step(product) - product.due
    return "live" if overdue <= _step(product) else "late" if overdue <= 3 * _step(product) else "stale"


def _borders(product: Product) -> list[timedelta]:
    """Since the start that tells the status."""
    ends = [2 * _step(product) + product.due, 4 * _step(product) + product.due]
    return [timedelta(), *ends] if product.forward else [timedelta(), *ends, -_ahead(product)]


@pytest.mark.parametrize(("market", "name"), PRODUCTS)
@pytest.mark.parametrize("newest_after", [timedelta(), timedelta(hours=23)])
def test_the_status_of_every_product_changes_where_it_is_defined_to(
    market: str, name: str, newest_after: timedelta
) -> None:
    product, newest = products.product(market, name), fakes.START + newest_after
    row = _row(market, name, newest)
    told = newest if product.forward else fakes.START
    for border in _borders(product):
        for us in (*range(-2 * MS - 1, 2 * MS + 2, 100), -MS - 1, -1, 1, MS - 1, MS, MS + 1):
            now = told + border + us * STEP
            assert row.status(clock.to_us(now))[0] == _status(product, fakes.START, newest, now), (border, us)


@given(st.sampled_from(PRODUCTS), st.integers(-(10**12), 10**12), st.integers(0, 10**12))
def test_status_and_age_at_any_instant(which: tuple[str, str], after_us: int, newest_us: int) -> None:
    product, now = products.product(*which), fakes.START + after_us * STEP
    newest = fakes.START + newest_us * STEP
    (shown,) = _read([_row(*which, newest)], now)
    assert shown["age_seconds"] == Decimal(_age_ms(fakes.START, now)) / 1000
    assert shown["status"] == _status(product, fakes.START, newest, now)
    known = None if product.cadence is None else Decimal(product.cadence // timedelta(seconds=1))
    assert shown["cadence_seconds"] == known


@pytest.mark.parametrize(("market", "name"), PRODUCTS)
def test_a_status_ends_at_the_instant_that_it_tells(market: str, name: str) -> None:
    row = _row(market, name)
    now_us, seen = START_US - 10**13, list[str]()
    while now_us != aging.FOR_EVER:
        status, ends_us = row.status(now_us)
        assert row.status(ends_us - 1) == (status, ends_us)
        seen.append(status)
        now_us = ends_us
    forward = products.product(market, name).forward
    assert seen == (["live", "late", "stale"] if forward else ["stale", "live", "late", "stale"])


@given(st.lists(st.sampled_from(PRODUCTS), max_size=4), st.integers(-(10**11), 10**11), st.integers(0, 10**11))
def test_what_is_aged_holds_until_the_first_status_ends(
    which: list[tuple[str, str]], after_us: int, later_us: int
) -> None:
    rows, now_us = [_row(*each) for each in which], START_US + after_us
    held = aging.aged(rows, now_us)
    assert held.until_us == min((row.status(now_us)[1] for row in rows), default=aging.FOR_EVER)
    then_us = min(now_us + later_us, held.until_us - 1)
    assert held.holds(now_us)
    assert held.holds(then_us)
    assert held.text(then_us) == aging.aged(rows, then_us).text(then_us)
    assert not held.holds(held.until_us)
    assert not held.holds(now_us - 1), "a clock that was set back"


def test_what_is_aged_holds_no_longer_than_its_prices() -> None:
    rows = [_row("caiso", "rt_5min")]
    assert aging.aged(rows, START_US, START_US + 1).until_us == START_US + 1


def test_rows_are_whole_objects_in_order() -> None:
    gas, node = fakes.tick(fakes.GAS, fakes.START, "100.5"), fakes.tick(fakes.NODE, fakes.START, "-31.123456789")
    rows = _rows(_latest(gas, node, mode="in_force"))
    shown = _read(rows, fakes.START + timedelta(seconds=1.5))
    assert [(row["instrument"], row["price"]) for row in shown] == [
        (fakes.GAS, Decimal("100.5")), (fakes.NODE, Decimal("-31.123456789")),
    ]  # fmt: skip
    assert {(row["mode"], row["age_seconds"], row["status"]) for row in shown} == {("in_force", Decimal("1.5"), "live")}
    assert list(shown[0])[-4:] == ["mode", "age_seconds", "cadence_seconds", "status"]
    assert aging.aged([], START_US).text(START_US) == b""


def test_decimals_are_text_on_request_but_ages_are_numbers() -> None:
    (shown,) = _read(_rows(_latest(fakes.tick(fakes.NODE, fakes.START, "-31.120")), text=True), fakes.START)
    assert (shown["price"], shown["age_seconds"], shown["cadence_seconds"]) == ("-31.12", 0, 300)


def test_status_follows_what_the_product_promises() -> None:
    rows = _rows(_latest(fakes.tick(fakes.NODE, fakes.START, "1")))
    found = {minutes: _read(rows, fakes.START + timedelta(minutes=minutes))[0] for minutes in (0, 10, 11, 20, 21)}
    assert [row["status"] for row in found.values()] == ["live", "live", "late", "late", "stale"]
    assert (found[11]["age_seconds"], found[11]["cadence_seconds"]) == (660, 300)


@pytest.mark.parametrize(
    ("name", "ahead", "status"),
    [
        (fakes.GAS, timedelta(minutes=1), "live"),  # clocks differ
        (fakes.GAS, timedelta(minutes=1, milliseconds=1), "stale"),
        (fakes.NODE, timedelta(minutes=30), "live"),  # it binds from 30 minutes before its start on
        (fakes.NODE, timedelta(minutes=31), "stale"),
        ("caiso.hasp_15min.NODE", timedelta(hours=2), "live"),
        (DAY_AHEAD, timedelta(hours=30), "live"),
    ],
)
def test_a_price_from_beyond_what_its_product_publishes_ahead_is_not_live(
    name: str, ahead: timedelta, status: str
) -> None:
    (shown,) = _read(_rows(_latest(fakes.tick(name, fakes.START, "1"))), fakes.START - ahead)
    assert shown["status"] == status


@pytest.mark.parametrize(("hours", "status"), [(0, "live"), (13, "live"), (15, "late"), (17, "stale")])
def test_a_day_ahead_price_in_force_is_live_while_the_next_day_is_not_due(hours: int, status: str) -> None:
    now = fakes.START + timedelta(hours=hours)  # tomorrow's prices are due 11 hours before its first one
    newest = fakes.START + timedelta(hours=23)
    (shown,) = _read(_rows(_latest(fakes.tick(DAY_AHEAD, now, "1"), newest=newest, mode="in_force")), now)
    assert shown["status"] == status
