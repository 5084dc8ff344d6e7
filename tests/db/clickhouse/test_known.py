"""What was known at an instant, read from the engine, against a replay by hand of what was known then."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from db.clickhouse import current, known_bars, known_latest, reads
from db.clickhouse.frames import fetch
from pipeline import products
from pipeline.bars import intervals
from pipeline.flags import Flag
from pipeline.schema import TICKS
from tests.db.clickhouse import brute, knowing
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import DAY, document, fresh_tenant, generic, land
from tests.db.clickhouse.test_bars import NO_SHRINKING, Delivery, deliver, deliveries
from tests.db.clickhouse.test_nyiso import ORDERS, turns

pytestmark = pytest.mark.stack

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def by_instrument(rows: Sequence[Row]) -> list[list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["instrument"]].append(row)
    return list(found.values())


def of_each(rows: Sequence[Row], work: Callable[[list[Row]], list[Row]]) -> list[Row]:
    return list(chain.from_iterable(work(each) for each in by_instrument(rows)))


def in_order(rows: list[Row], *more: str) -> list[Row]:
    names = ("start", "instrument", "tenant", "source_rank", "event_id", "ts", *more)
    return sorted(rows, key=lambda row: [row[name] for name in names])


def expect_ticks(client: Client, rows: Sequence[Row], at: datetime, limit: int) -> None:
    wanted = of_each(knowing.known(rows, at), knowing.price_of)
    assert knowing.read_pages(client, rows, at, limit) == in_order(wanted)


def expect_history(client: Client, rows: Sequence[Row], at: datetime, limit: int) -> None:
    wanted = of_each(knowing.known(rows, at), knowing.history_of)
    assert knowing.read_pages(client, rows, at, limit, history=True) == in_order(wanted, "revision")


def expect_newest(client: Client, rows: Sequence[Row], at: datetime, until: datetime | None = None) -> None:
    each = (knowing.newest_of(one, until) for one in by_instrument(knowing.known(rows, at)))
    wanted = [row for row in each if row is not None]
    found = knowing.read_newest(client, rows, at, until)
    assert sorted(found, key=lambda row: row["instrument"]) == sorted(wanted, key=lambda row: row["instrument"])


def expect_bars(client: Client, rows: Sequence[Row], at: datetime, limit: int) -> None:
    """Bars of every interval that users see; none missing, none extra, every field equal."""
    market, name = rows[0]["market"], rows[0]["product"]
    zone, grace = products.market(market).zone, products.product(market, name).grace
    for interval in (each.name for each in intervals(market, name) if each.name != "10s"):
        found = knowing.read_bars(client, rows, interval, at, limit)
        assert found == sorted(found, key=lambda bar: (bar["start"], bar["instrument"]))
        have = {(bar["instrument"], bar["start"]): bar for bar in found}
        assert len(have) == len(found)
        wanted = {
            (one[0]["instrument"], start): bar
            for one in by_instrument(knowing.known(rows, at))
            for (_, start), bar in brute.bars(one, [interval], zone, round(grace.total_seconds())).items()
        }
        assert have.keys() == wanted.keys(), (interval, at)
        for key, bar in wanted.items():
            assert {field: have[key][field] for field in bar} == bar, (interval, at, key)


def expect(client: Client, rows: Sequence[Row], instants: Sequence[datetime], limit: int) -> None:
    for at in instants:
        expect_ticks(client, rows, at, limit)
        expect_history(client, rows, at, limit)
        expect_newest(client, rows, at)
        expect_bars(client, rows, at, limit)


def some(rows: Sequence[Row], picks: Sequence[int]) -> list[datetime]:
    """A few of the instants at which something changes."""
    every = knowing.instants(rows)
    return [every[pick % len(every)] for pick in picks]


PICKS = st.lists(st.integers(0, 999), min_size=3, max_size=3)
LIMITS = st.sampled_from([9, 1000])


@examples(max_examples=2, deadline=None, phases=NO_SHRINKING)
@given(cases=st.lists(deliveries(documents=False), min_size=8, max_size=8), limit=LIMITS, picks=PICKS)
def test_streams_as_they_were_known(client: Client, cases: list[Delivery], limit: int, picks: list[int]) -> None:
    rows = list(chain.from_iterable(deliver(client, cases)))
    instants = some(rows, picks)
    expect(client, rows, instants, limit)
    for at in instants:
        expect_newest(client, rows, at, until=at)


@examples(max_examples=2, deadline=None, phases=NO_SHRINKING)
@given(cases=st.lists(deliveries(documents=True), min_size=8, max_size=8), limit=LIMITS, picks=PICKS)
def test_documents_as_they_were_known(client: Client, cases: list[Delivery], limit: int, picks: list[int]) -> None:
    rows = list(chain.from_iterable(deliver(client, cases)))
    expect(client, rows, some(rows, picks), limit)


def test_after_every_publication_of_one_price(client: Client) -> None:
    """A, B, A: back to the first value is a correction too; an older version and an equal value are none."""
    tenant, start = fresh_tenant(), DAY + 9 * HOUR
    first = document(tenant, start, "1", known_at=start)
    prices = [
        ("1", 0, 1), ("2", 0, 1), ("2", 0, 1), ("1", 0, 1), ("9", 2, 1), ("7", 1, 1), ("9", 2, 64), ("9", 2, 1),
    ]  # fmt: skip
    rows = [
        first | {"price": Decimal(price), "version": version, "flags": flags, "offset": n, "known_at": start + n * HOUR}
        for n, (price, version, flags) in enumerate(prices)
    ]
    land(client, rows[::2])
    land(client, rows[1::2])
    expect(client, rows, [start + n * HOUR for n in range(-1, len(rows))], 1000)
    history = knowing.read_pages(client, rows, None, 2, history=True)
    told = [(int(row["price"]), row["revision"], row["flags"]) for row in history]
    assert told == [(1, 0, 1), (2, 1, 1), (1, 2, 1), (9, 3, 1), (9, 4, 64), (9, 5, 1)]


def test_prices_that_begin_elsewhere_when_they_come_again(client: Client) -> None:
    cases = [turns(order, same=False) for order in ORDERS]
    for case in cases:
        land(client, list(chain.from_iterable(case)))
        rows = [{name: row[name] for name in TICKS} for row in chain.from_iterable(case)]
        for at in [turn[0]["known_at"] for turn in case]:
            expect_ticks(client, rows, at, 1000)
            expect_history(client, rows, at, 1000)
            expect_newest(client, rows, at)
            expect_bars(client, rows, at, 50)


def test_the_newest_price_lies_in_a_day_that_has_changed_since(client: Client) -> None:
    tenant = fresh_tenant()
    old = document(tenant, DAY, "1", known_at=DAY)
    today = document(tenant, DAY + timedelta(days=3), "2", known_at=DAY + timedelta(days=3), offset=1)
    corrected = today | {"price": Decimal(3), "known_at": DAY + timedelta(days=9), "offset": 2}
    tomorrow = document(tenant, DAY + timedelta(days=4), "4", known_at=DAY + timedelta(days=4), offset=3)
    withdrawn = tomorrow | {"flags": int(Flag.ADVISORY), "known_at": DAY + timedelta(days=5), "offset": 4}
    long_after = [
        document(tenant, DAY + timedelta(days=20 + n), "5", known_at=DAY + timedelta(days=20 + n), offset=5 + n)
        for n in range(40)
    ]
    rows = [old, today, corrected, tomorrow, withdrawn, *long_after]
    land(client, rows)
    for at in knowing.instants(rows):
        expect_newest(client, rows, at)
    assert knowing.read_newest(client, rows, DAY + timedelta(days=6))[0]["price"] == 2


def test_in_force_is_of_what_was_known(client: Client) -> None:
    tenant, scope = fresh_tenant(), reads.Scope([], [])
    hour = document(tenant, DAY, "1", minutes=60, known_at=DAY - HOUR)
    rows = [hour, hour | {"price": Decimal(2), "offset": 1, "known_at": DAY + HOUR / 2}]
    land(client, rows)
    scope = knowing.scope_of(rows)
    instants = (DAY - 2 * HOUR, DAY + MINUTE, DAY + HOUR / 2, DAY + HOUR)
    found = [fetch(client, reads.in_force(scope, at, at))["price"].to_list() for at in instants]
    assert found == [[], [1], [2], []]


def test_a_page_of_bars_holds_no_more_publications_than_it_may(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = fresh_tenant()
    rows = [generic(tenant, DAY + n * MINUTE / 4, str(n), event_id=str(n), offset=n) for n in range(24)]
    land(client, rows)
    monkeypatch.setattr(known_bars, "MOST_TICKS", 9)
    sizes: list[int] = []
    real = known_bars.known_bars

    def noted(client: Client, bars: object, known: datetime) -> object:
        made = real(client, bars, known)  # pyright: ignore[reportArgumentType]
        sizes.append(made.height)
        return made

    monkeypatch.setattr(known_bars, "known_bars", noted)
    expect_bars(client, rows, DAY + HOUR, 1000)
    assert sizes[:3] == [2, 2, 2]  # minutes of four prices
    assert sizes[-1] == 1  # a day of more than may be is a page of its own


def test_no_tables_are_left(client: Client) -> None:
    tenant = fresh_tenant()
    rows = [generic(tenant, DAY, "1")]
    land(client, rows)
    expect_bars(client, rows, DAY, 10)
    assert client.command("SELECT count() FROM system.tables WHERE startsWith(name, 'pass_')") == 0


def test_another_tenant_is_not_read(client: Client) -> None:
    mine, other = fresh_tenant(), fresh_tenant()
    land(client, [generic(mine, DAY, "1"), generic(other, DAY, "2", known_at=DAY)])
    rows = [generic(mine, DAY, "1")]
    expect(client, rows, [DAY], 10)


@pytest.mark.parametrize(
    ("module", "name", "old", "new"),
    [
        (current, "known_by", "<=", "<"),
        (known_latest, "_KNOWN", "t.1 >= since", "t.1 > since"),
        (known_latest, "_KNOWN", "updated_at <=", "updated_at >="),
    ],
    ids=["known before", "later days alone", "changed since"],
)
def test_known_wrong_variants_are_caught(
    client: Client, monkeypatch: pytest.MonkeyPatch, module: object, name: str, old: str, new: str
) -> None:
    real = getattr(module, name)
    if isinstance(real, str):
        assert old in real
        monkeypatch.setattr(module, name, real.replace(old, new))
    else:

        def broken(where: str, *, bounded: bool = True) -> str:
            return real(where, bounded=bounded).replace(old, new)

        monkeypatch.setattr(module, name, broken)
    tenant = fresh_tenant()
    days = [generic(tenant, DAY + timedelta(days=n), str(n), offset=n) for n in range(3)]
    rows = [*days, days[1] | {"price": Decimal(9), "known_at": DAY + timedelta(days=5), "offset": 9}]
    land(client, rows)
    with pytest.raises(AssertionError):
        expect_prices(client, rows)


def expect_prices(client: Client, rows: Sequence[Row]) -> None:
    for at in knowing.instants(rows):
        expect_ticks(client, rows, at, 1000)
        expect_newest(client, rows, at)
