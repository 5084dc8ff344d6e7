"""What was known at an instant, read from the engine, against a replay by hand of what was known then."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain

import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse import current, known_bars, known_latest, reads
from db.clickhouse.frames import fetch
from pipeline import products
from pipeline.bars import intervals
from pipeline.flags import Flag
from pipeline.schema import TICKS
from tests.db.clickhouse import brute, knowing
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import DAY, document, fresh_tenant, generic, land
from tests.db.clickhouse.test_bars import deliver, drawn
from tests.db.clickhouse.test_nyiso import ORDERS, turns

pytestmark = pytest.mark.stack

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def by_instrument(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each instrument of each tenant."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        found[who(row)].append(row)
    return list(found.values())


def who(row: Row) -> tuple[str, str]:
    return row["instrument"], row["tenant"]


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
    assert sorted(found, key=who) == sorted(wanted, key=who)


def shown_intervals(rows: Sequence[Row]) -> list[str]:
    """Those that users see."""
    return [each.name for each in intervals(rows[0]["market"], rows[0]["product"]) if each.name != "10s"]


def expect_bars(client: Client, rows: Sequence[Row], at: datetime, interval: str, limit: int) -> None:
    """None missing, none extra, every field equal."""
    market, name = rows[0]["market"], rows[0]["product"]
    zone, grace = products.market(market).zone, products.product(market, name).grace
    found = knowing.read_bars(client, rows, interval, at, limit)
    assert found == sorted(found, key=lambda bar: (bar["start"], who(bar)))
    have = {(who(bar), bar["start"]): bar for bar in found}
    assert len(have) == len(found)
    wanted = {
        (who(one[0]), start): bar
        for one in by_instrument(knowing.known(rows, at))
        for (_, start), bar in brute.bars(one, [interval], zone, round(grace.total_seconds())).items()
    }
    assert have.keys() == wanted.keys(), (interval, at)
    for key, bar in wanted.items():
        assert {field: have[key][field] for field in bar} == bar, (interval, at, key)


def expect_prices(client: Client, rows: Sequence[Row], at: datetime, limit: int) -> None:
    expect_ticks(client, rows, at, limit)
    expect_history(client, rows, at, limit)
    expect_newest(client, rows, at)


def expect(client: Client, rows: Sequence[Row], instants: Sequence[datetime], limit: int) -> None:
    """Prices at each instant, and in turn the bars of one interval: 20 statements make those, and the finer ones."""
    names = shown_intervals(rows)
    for at in instants:
        expect_prices(client, rows, at, limit)
    for number in range(max(len(instants), len(names))):
        expect_bars(client, rows, instants[number % len(instants)], names[number % len(names)], limit)


def some(rows: Sequence[Row], count: int) -> list[datetime]:
    """A few of the instants at which something changes, evenly."""
    every = knowing.instants(rows)
    return [every[(2 * pick + 1) * len(every) // (2 * count)] for pick in range(count)]


CASES, INSTANTS = 16, 5


@pytest.mark.parametrize("documents", [False, True], ids=["streams", "documents"])
def test_prices_and_bars_as_they_were_known(client: Client, documents: bool) -> None:
    rows = list(chain.from_iterable(deliver(client, drawn(documents, CASES))))
    instants = some(rows, INSTANTS)
    expect(client, rows, instants, 1000)
    expect_prices(client, rows, instants[-1], 9)
    expect_bars(client, rows, instants[-1], "5m", 30)
    if not documents:
        for at in instants:
            expect_newest(client, rows, at, until=at)


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
    """Of a tenant each; all of them at once."""
    made = list(chain.from_iterable(chain.from_iterable(turns(order, same=False) for order in ORDERS)))
    land(client, made)
    rows = [{name: row[name] for name in TICKS} for row in made]
    for at in sorted({row["known_at"] for row in rows}):
        expect_prices(client, rows, at, 1000)
        for interval in ("5m", "1d"):
            expect_bars(client, rows, at, interval, 1000)


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
    for at in knowing.instants([*rows[:7], rows[-1]]):
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
    expect_bars(client, rows, DAY + HOUR, "1m", 1000)
    assert sizes == [2, 2, 2]  # minutes of four prices
    expect_bars(client, rows, DAY + HOUR, "5m", 1000)
    assert sizes[3:] == [1, 1]  # a bar of more than may be is a page of its own


def test_no_tables_are_left(client: Client) -> None:
    tenant = fresh_tenant()
    rows = [generic(tenant, DAY, "1")]
    land(client, rows)
    expect_bars(client, rows, DAY, "1d", 10)  # made of all finer ones
    assert client.command("SELECT count() FROM system.tables WHERE startsWith(name, 'pass_')") == 0


def test_another_tenant_is_not_read(client: Client) -> None:
    mine, other = fresh_tenant(), fresh_tenant()
    land(client, [generic(mine, DAY, "1"), generic(other, DAY, "2", known_at=DAY)])
    rows = [generic(mine, DAY, "1")]
    expect_prices(client, rows, DAY, 10)
    expect_bars(client, rows, DAY, "1d", 10)


@pytest.fixture(scope="module")
def corrected(client: Client) -> list[Row]:
    """Three days, the second of which is corrected two days after the last."""
    tenant = fresh_tenant()
    days = [generic(tenant, DAY + timedelta(days=n), str(n), offset=n) for n in range(3)]
    rows = [*days, days[1] | {"price": Decimal(9), "known_at": DAY + timedelta(days=5), "offset": 9}]
    land(client, rows)
    return rows


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
    client: Client, monkeypatch: pytest.MonkeyPatch, corrected: list[Row], module: object, name: str, old: str, new: str
) -> None:
    real = getattr(module, name)
    if isinstance(real, str):
        assert old in real
        monkeypatch.setattr(module, name, real.replace(old, new))
    else:

        def broken(where: str, *, bounded: bool = True) -> str:
            return real(where, bounded=bounded).replace(old, new)

        monkeypatch.setattr(module, name, broken)
    with pytest.raises(AssertionError):
        expect_at_all(client, corrected, "ticks" if module is current else "newest")


def expect_at_all(client: Client, rows: Sequence[Row], what: str) -> None:
    for at in knowing.instants(rows):
        if what == "ticks":
            expect_ticks(client, rows, at, 1000)
        else:
            expect_newest(client, rows, at)


def test_the_right_variants_find_what_is_there(client: Client, corrected: list[Row]) -> None:
    for what in ("ticks", "newest"):
        expect_at_all(client, corrected, what)
