"""What explains a bar: from the listed publications alone every number of it follows, by brute force."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import NamedTuple

import polars as pl
import pytest
from clickhouse_connect.driver.client import Client

from api.explain.bucket import holding
from api.explain.publications import judged
from api.explain.working import Working, worked
from db.clickhouse import explain, known_bars, reads
from db.clickhouse.frames import fetch
from pipeline import products
from pipeline.bars import day_zone
from tests.db.clickhouse import brute, knowing
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import DAY, document, fresh_tenant, generic, land
from tests.db.clickhouse.test_bars import deliver, drawn
from tests.db.clickhouse.test_nyiso import ORDERS, turns

pytestmark = pytest.mark.stack

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
MOST = 10_000


class Told(NamedTuple):
    bar: Row
    publications: pl.DataFrame
    working: Working


def tell(client: Client, row: Row, interval: str, at: datetime, known: datetime | None = None) -> Told:
    """Of the bar of the row's instrument that holds an instant: as it is shown, and its working."""
    bucket = holding(interval, at, day_zone(row["market"], row["product"]))
    scope, span = reads.Scope([row["tenant"]], [row["instrument"]]), reads.Range(bucket.start, bucket.end, MOST)
    found = explain.rows(fetch(client, explain.publications(scope, span, known)))
    told = judged(found, bucket, products.product(row["market"], row["product"]).grace)
    return Told(shown(client, row, interval, span, known), told, worked(told, bucket, _grace(row)))


def shown(client: Client, row: Row, interval: str, span: reads.Range, known: datetime | None) -> Row:
    scope = reads.Scope([row["tenant"]], [row["instrument"]])
    if known is None:
        (bar,) = fetch(client, reads.read_bars(scope, interval, span)).to_dicts()
        return bar
    there = fetch(client, known_bars.candidates(scope, interval, span, known))
    zones = pl.DataFrame([row]).select("tenant", "instrument", "market", "product").with_columns(zone=pl.lit(None))
    bars, _ = known_bars.wanted(there, interval, zones.cast(pl.String), span, None)
    (bar,) = known_bars.known_bars(client, bars, known).to_dicts()
    return bar


def _grace(row: Row) -> timedelta:
    return products.product(row["market"], row["product"]).grace


def expect(told: Told) -> None:
    """The listed publications give the bar by brute force, and the working is that bar."""
    bar, first = told.bar, told.publications.row(0, named=True)
    zone = day_zone(first["market"], first["product"])
    rows, grace = told.publications.to_dicts(), round(_grace(first).total_seconds())
    by_hand = brute.bars(rows, [bar["interval"]], zone, grace)[bar["interval"], bar["start"]]
    assert {name: bar[name] for name in by_hand} == by_hand
    assert {name: bar[name] for name in told.working.facts} == told.working.facts


def each_bar(client: Client, rows: Sequence[Row], intervals: Sequence[str], known: datetime | None = None) -> int:
    """Looks at every bar of these rows of one instrument."""
    zone, grace = day_zone(rows[0]["market"], rows[0]["product"]), round(_grace(rows[0]).total_seconds())
    there = rows if known is None else knowing.known(rows, known)
    bars = brute.bars(there, intervals, zone, grace)
    for interval, start in bars:
        expect(tell(client, rows[0], interval, start, known))
    return len(bars)


@pytest.mark.parametrize("documents", [False, True], ids=["streams", "documents"])
def test_bars_of_any_publications_follow_from_what_is_listed(client: Client, documents: bool) -> None:
    """Corrections, withdrawn prices, prices known before they bind, ties, older versions, repeats."""
    cases = deliver(client, drawn(documents, 8))
    assert sum(each_bar(client, made, ("1h", "1d")) for made in cases) >= 8


def test_a_bar_is_explained_as_it_was_known(client: Client) -> None:
    (made,) = deliver(client, drawn(documents=True, count=1))
    made = [row | {"flags": 1} for row in made]
    land(client, made)
    instants = knowing.instants(made)
    assert each_bar(client, made, ("15m",), instants[len(instants) // 2]) > 0


def test_prices_that_move_to_another_bar_are_listed_as_moved(client: Client) -> None:
    made = list(chain.from_iterable(turns(next(iter(ORDERS)), same=False)))
    land(client, made)
    starts = sorted({brute.bounds("5m", row["start"], "UTC")[0] for row in made})
    whys = set[str]()
    for at in starts[:12]:
        told = tell_if_there(client, made[0], at)
        if told is not None:
            expect(told)
            whys |= set(told.publications["why"].drop_nulls())
    assert "moved" in whys


def tell_if_there(client: Client, row: Row, at: datetime) -> Told | None:
    scope = reads.Scope([row["tenant"]], [row["instrument"]])
    there = fetch(client, reads.read_bars(scope, "5m", reads.Range(at, at + 5 * MINUTE, 1)))
    return tell(client, row, "5m", at) if there.height else None


def test_the_twap_of_the_manual_can_be_redone_on_paper(client: Client) -> None:
    eleven, tenant = DAY + 11 * HOUR, fresh_tenant()
    runs = [(14, "20"), (5 * 60 + 12, "100"), (10 * 60 + 15, "20")]
    sced = {"instrument": "ercot.rt_sced.HB_NORTH", "market": "ercot", "product": "rt_sced", "location": "HB_NORTH"}
    rows = [document(tenant, eleven + s * SECOND, price, 30, offset=s, end=None, **sced) for s, price in runs]
    land(client, rows)
    told = tell(client, rows[0], "15m", eleven)
    expect(told)
    formula = told.working.formula
    assert formula["twap"] == "(20 × 298 + 100 × 303 + 20 × 285) ÷ (298 + 303 + 285) = 41960 ÷ 886 ≈ 47.358916479"
    assert (formula["high"], formula["close"], formula["vwap"]) == ("price 2 = 100, the highest", "price 3 = 20", None)
    assert told.working.prices["seconds"].to_list() == [298, 303, 285]


def test_what_became_of_every_publication(client: Client) -> None:
    tenant, start = fresh_tenant(), DAY + 9 * HOUR
    first = document(tenant, start, "1", known_at=start)
    values = [("1", 0, 1), ("2", 0, 1), ("2", 0, 1), ("9", 2, 1), ("7", 1, 1), ("9", 2, 64), ("9", 2, 1)]
    rows = [
        first | {"price": Decimal(price), "version": version, "flags": flags, "offset": n, "known_at": start + n * HOUR}
        for n, (price, version, flags) in enumerate(values)
    ]
    late = document(tenant, start + 5 * MINUTE, "5", known_at=start + 9 * HOUR, offset=20)
    advisory = document(tenant, start + 10 * MINUTE, "6", flags=64, known_at=start, offset=21)
    land(client, [*rows, late, advisory])
    told = tell(client, first, "1h", start)
    expect(told)
    found = told.publications
    assert found["offset"].to_list() == [0, 21, 1, 2, 3, 4, 5, 6, 20], "in the order in which they became known"
    assert found["why"].to_list() == [
        "superseded", "advisory", "superseded", "repeated", "superseded", "outranked", "superseded", None, None,
    ]  # fmt: skip
    kinds = [None, None, "changed", None, "changed", None, "changed", "changed", "late"]
    assert found["revision"].to_list() == kinds
    assert told.bar["revision"] == 5


def test_a_price_is_late_after_the_grace_of_the_bar(client: Client) -> None:
    tenant, start = fresh_tenant(), DAY + 9 * HOUR
    due = start + HOUR + 5 * MINUTE
    first, second = start, start + 5 * MINUTE
    rows = [
        document(tenant, first, "1", known_at=due),
        document(tenant, second, "2", known_at=due + timedelta(microseconds=1), offset=1),
    ]
    land(client, rows)
    told = tell(client, rows[0], "1h", start)
    expect(told)
    assert told.publications["revision"].to_list() == [None, "late"]


@pytest.mark.parametrize(
    ("midnight", "hours"),
    [(datetime(2024, 3, 10, 8, tzinfo=UTC), 23), (datetime(2024, 11, 3, 7, tzinfo=UTC), 25)],
)
def test_a_day_of_a_clock_change(client: Client, midnight: datetime, hours: int) -> None:
    """In California; some hours are corrected, and neighbours of the day are not in it."""
    tenant = fresh_tenant()
    shape = {"instrument": "caiso.da_hourly.NODE", "product": "da_hourly"}
    rows = [
        document(tenant, midnight + n * HOUR, str(n), 60, known_at=midnight - 12 * HOUR, offset=n + 1, **shape)
        for n in range(-1, hours + 1)
    ]
    rows += [row | {"price": Decimal("-3.5"), "known_at": midnight + 50 * HOUR, "offset": 90} for row in rows[3:5]]
    land(client, rows)
    told = tell(client, rows[0], "1d", midnight + HOUR)
    expect(told)
    assert (told.bar["count"], told.bar["covered_seconds"], told.bar["revision"]) == (hours, hours * 3600, 2)
    assert told.working.prices["seconds"].unique().to_list() == [3600]
    assert f"of {hours} prices" in (told.working.formula["twap"] or "")


def test_streams_have_a_vwap_and_order_by_event(client: Client) -> None:
    tenant, at = fresh_tenant(), DAY + 9 * HOUR
    made = [("b", "21", 3), ("a", "20", 5)]
    rows = [
        generic(tenant, at, price, event_id=event, volume=Decimal(volume), offset=n)
        for n, (event, price, volume) in enumerate(made)
    ]
    land(client, rows)
    told = tell(client, rows[0], "1m", at)
    expect(told)
    assert told.working.formula["vwap"] == "(20 × 5 + 21 × 3) ÷ (5 + 3) = 163 ÷ 8 = 20.375"
    assert (told.working.formula["twap"], told.working.formula["volume"]) == (None, "5 + 3 = 8")
    assert told.working.prices["publication"].to_list() == [1, 0]


def test_of_too_many_publications_the_first_prices_are_listed_whole(client: Client) -> None:
    tenant, at = fresh_tenant(), DAY + 9 * HOUR
    rows = [generic(tenant, at + n * SECOND, str(n), event_id=str(n), offset=n) for n in range(9)]
    rows += [rows[1] | {"price": Decimal(7), "known_at": at + HOUR, "offset": 20}]
    land(client, rows)
    scope = reads.Scope([tenant], [rows[0]["instrument"]])
    for most, listed in ((4, 4), (2, 1), (10, None)):
        span = reads.Range(at, at + MINUTE, most)
        assert fetch(client, explain.counted(scope, span, None)).rows() == [(10,)]
        cut = fetch(client, explain.beyond(scope, span, None))["ts"].to_list()
        assert bool(cut) == (listed is not None)
        found = fetch(client, explain.publications(scope, span, None, *cut))
        assert found.height == (listed or 10)
    span = reads.Range(at, at + MINUTE, 20)
    assert fetch(client, explain.counted(scope, span, at + MINUTE)).rows() == [(9,)], "of what was known then"


def test_another_tenant_is_not_read(client: Client) -> None:
    mine, other, at = fresh_tenant(), fresh_tenant(), DAY + 9 * HOUR
    land(client, [generic(mine, at, "1"), generic(other, at, "2", event_id="z")])
    assert tell(client, generic(mine, at, "1"), "1h", at).publications["price"].to_list() == [1]
