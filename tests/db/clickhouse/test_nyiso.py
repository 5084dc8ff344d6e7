"""Bars of NYISO's files, whose stamps end an interval and may lie off the grid, against bars by hand."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from itertools import chain, zip_longest
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from db.clickhouse import current, reads, rollup_ticks
from db.clickhouse.frames import fetch
from db.clickhouse.rollup import floor
from pipeline import products
from pipeline.bars import intervals
from pipeline.normalize import normalize
from tests.db.clickhouse import brute
from tests.db.clickhouse.rows import document, fresh_tenant, land
from tests.pipeline import making
from tests.pipeline.markets.nyiso_files import FIVE, HOUR, bounds, file, label, row, steps
from verify import latest, ticks
from verify.proof import rules_of

pytestmark = pytest.mark.stack

AUTUMN, SPRING, SUMMER = date(2024, 11, 3), date(2024, 3, 10), date(2024, 6, 1)
FILES = {"da_hourly": "damlbmp", "rt_hourly": "rtlbmp", "rt_5min": "realtime"}
NAMES = ("CAPITL", "N.Y.C.")
BUCKET = floor("start", "{seconds:UInt32}")
EVENTS = (62, 1000, 1001, 1082, 1265, 1424, 1499, 1574, 3599, 5000, 70_000)  # seconds of the day


def rows(tenant: str, product: str, stamps: Iterable[datetime], known: datetime, turn: int = 0) -> list[brute.Row]:
    """A file of two locations as its ticks, of the message number `turn`; prices follow from stamp and `turn`."""
    lines = [
        row(
            label(at), name, (f"{(at.minute * 7 + at.second + at.hour * n) % 90 - 20 + turn // 10}.{n}5", "1.25", "-.5")
        )
        for at in stamps
        for n, name in enumerate(NAMES)
    ]
    sent = making.document(file(*lines).decode(), market="nyiso", name=f"{FILES[product]}_zone.csv")
    made = normalize(making.batch(sent, known_at_us=round(known.timestamp()) * 1_000_000, first=turn), tenant)
    assert made.rejects.height == 0
    return made.ticks.to_dicts()


def expect(client: Client, made: list[brute.Row]) -> None:
    """The stored bars of the rows' instruments are the brute-force ones, every field equal."""
    expected = by_hand(made)
    found = stored(client, made, {key[2] for key in expected})
    assert found.keys() == expected.keys()
    for key, bar in expected.items():
        assert {name: found[key][name] for name in bar} == bar, key


Key = tuple[str, str, str, datetime]  # tenant, instrument, interval, start


def by_hand(made: list[brute.Row]) -> dict[Key, brute.Row]:
    groups: dict[tuple[str, str], list[brute.Row]] = defaultdict(list)
    for each in made:
        groups[each["tenant"], each["instrument"]].append(each)
    return {(*who, *key): bar for who, mine in groups.items() for key, bar in bars_of(mine).items()}


def bars_of(mine: list[brute.Row]) -> dict[tuple[str, datetime], brute.Row]:
    """The bars of one instrument."""
    market = products.market(mine[0]["market"])
    product = products.product(market.name, mine[0]["product"])
    names = [interval.name for interval in intervals(market.name, product.name)]
    return brute.bars(mine, names, market.zone, round(product.grace.total_seconds()))


def stored(client: Client, made: list[brute.Row], names: Iterable[str]) -> dict[Key, brute.Row]:
    starts = [each["start"] for each in made]
    span = reads.Range(min(starts) - timedelta(days=2), max(starts) + timedelta(days=2), 1_000_000)
    scope = reads.Scope(*(sorted({each[name] for each in made}) for name in ("tenant", "instrument")))
    return {
        (bar["tenant"], bar["instrument"], name, bar["start"]): bar
        for name in names
        for bar in fetch(client, reads.read_bars(scope, name, span)).iter_rows(named=True)
    }


def test_days_on_which_the_clock_changes(client: Client) -> None:
    made: list[brute.Row] = []
    for product, day in (("rt_hourly", AUTUMN), ("rt_5min", AUTUMN), ("rt_5min", SPRING)):
        step = FIVE if product == "rt_5min" else HOUR
        stamps = [at + step if product == "rt_5min" else at for at in steps(day, step)]
        one = rows(fresh_tenant(), product, stamps, known=bounds(day)[1])
        assert len({each["start"] for each in one}) == len(stamps)
        made += one
    land(client, made[::2])
    land(client, made[1::2])
    expect(client, made)


def ends(day: date) -> list[datetime]:
    """A day's stamps with event runs between them, and without two of the grid."""
    begin = bounds(day)[0]
    grid = [at + FIVE for at in steps(day, FIVE)]
    return sorted({*grid[:16], *grid[18:], *(begin + timedelta(seconds=second) for second in EVENTS)})


def test_a_day_with_stamps_off_the_grid_beside_another_market(client: Client) -> None:
    tenant, at = fresh_tenant(), datetime(2024, 6, 1, 9, tzinfo=UTC)
    others = [document(tenant, at + FIVE * (n % 3), str(n), offset=n, known_at=at + HOUR * n) for n in range(5)]
    made = [*rows(tenant, "rt_5min", ends(SUMMER), known=bounds(SUMMER)[1]), *others]
    land(client, made)
    expect(client, made)


# Files of one day by the numbers of their first and last stamps: a part lacks the stamps before it, so that its first
# interval begins earlier, often in another bar.
ORDERS = {
    "whole first": [(0, 14), (4, 13), (8, 17)], "parts first": [(8, 17), (4, 13), (0, 14)],
    "one alone first": [(8, 9), (8, 9), (8, 9), (7, 9)],
}  # fmt: skip


def turns(order: str, same: bool) -> list[list[brute.Row]]:
    """The ticks of the files in that order, for a tenant of their own: with prices of their own unless `same`."""
    tenant, known = fresh_tenant(), bounds(SUMMER)[1]
    cuts = enumerate(ORDERS[order])
    named = [(n if same else 10 * n, ends(SUMMER)[first:last]) for n, (first, last) in cuts]
    return [rows(tenant, "rt_5min", stamps, known + timedelta(minutes=turn), turn) for turn, stamps in named]


def land_and_expect(client: Client, cases: list[list[list[brute.Row]]]) -> None:
    """Land the n-th files of all cases together, and look at the bars and latest prices that are left."""
    seen = dict[tuple[str, str], dict[str, Any]]()
    for together in zip_longest(*cases, fillvalue=[]):
        for each in land(client, list(chain.from_iterable(together))).iter_rows(named=True):
            who = each["tenant"], each["instrument"]
            seen[who] = max(seen.get(who, each), each, key=key)
    expect(client, list(chain.from_iterable(chain.from_iterable(cases))))
    for who, found in seen.items():
        expect_latest(client, *who, found)


def test_a_price_may_begin_elsewhere_when_it_comes_again(client: Client) -> None:
    cases = [turns(order, same) for order in ORDERS for same in (True, False)]
    for case in cases:
        bars = {(each["ts"], brute.bounds("5m", each["start"], "UTC")) for turn in case for each in turn}
        assert len(bars) > len({at for at, _ in bars}), "some price moves to another bar"
    land_and_expect(client, cases)


def key(candidate: dict[str, Any]) -> tuple[Any, ...]:
    return candidate["bar_start"], candidate["ver"], candidate["tail"]


def expect_latest(client: Client, tenant: str, instrument: str, found: dict[str, Any]) -> None:
    """A candidate of the pass is the latest price that the proof asks for."""
    one = ticks.of_instrument(client, tenant, instrument)
    assert one is not None
    wanted = latest.expected(one, rules_of(one))
    assert wanted.price is not None
    start = round(found["bar_start"].timestamp()) * 1_000_000
    assert (start, found["ver"] % 2**40) == (wanted.bar_start, wanted.seen)
    assert int(found["price"] * 10**9) == wanted.price.publication.price
    assert found["revision"] == wanted.price.revision


MOVED = f"bucket = {BUCKET} AND {current.usable()}"
# Texts of the statements, and what stands in their place; the first one changes nothing.
VARIANTS = {
    "right": ("from_moving", MOVED, MOVED),
    "seen where it is": ("from_moving", "arrayJoin(buckets)", f"arrayJoin([{BUCKET}])"),
    "corrected everywhere": ("from_moving", f"if(bucket = {BUCKET}, corrections", "if(true, corrections"),
    "everywhere": ("from_moving", MOVED, current.usable()),
    "alone in its bar": ("from_lasting", "BY identity HAVING count() > 1", "BY identity HAVING count() > 1000"),
}


@pytest.fixture(scope="module")
def begun(client: Client) -> dict[str, list[list[brute.Row]]]:
    """For each variant the files of a tenant, of which all but the last have landed."""
    cases = {name: turns("one alone first", same=False) for name in VARIANTS}
    for together in list(zip(*cases.values(), strict=True))[:-1]:
        land(client, list(chain.from_iterable(together)))
    return cases


@pytest.mark.parametrize("variant", VARIANTS)
def test_known_wrong_variants_are_caught(
    client: Client, monkeypatch: pytest.MonkeyPatch, begun: dict[str, list[list[brute.Row]]], variant: str
) -> None:
    made, old, new = VARIANTS[variant]
    real = getattr(rollup_ticks, made)
    assert old in real("5m", **({"one_each": True} if made == "from_lasting" else {}))

    def broken(interval: str, **more: bool) -> str:
        return real(interval, **more).replace(old, new)

    monkeypatch.setattr(rollup_ticks, made, broken)
    case = begun[variant]
    land(client, case[-1])
    with nullcontext() if variant == "right" else pytest.raises(AssertionError):
        expect(client, list(chain.from_iterable(case)))
