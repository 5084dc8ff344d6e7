"""The whole proof: every instrument's bars, prices and latest price, then every position of the raw topic.

A system at work moves while it is read. What differs is therefore read again a few times; only what stays different
is reported.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from clickhouse_connect.driver.client import Client
from redis import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.ledger_ranges import ledger_ranges
from db.postgres.replays import readers
from pipeline import products
from pipeline.bars import intervals
from pipeline.flags import UNUSABLE
from service.settings import Kafka
from verify import bars, curve_check, kafka, latest, positions, spread_check, stored, ticks
from verify.model import Bar, Difference
from verify.ticks import Series

_TOGETHER: Final = 100  # instruments a read
_READ_AGAIN: Final = 5
_PAUSE_S: Final = 1.0
_INTERNAL: Final = "10s"  # nobody can ask for it; the minutes that fold from it are checked


@dataclass(slots=True)
class Report:
    """What was checked, and what differs."""

    instruments: int = 0
    publications: int = 0
    bars: int = 0
    messages: int = 0
    spreads: int = 0
    curves: int = 0
    differences: list[Difference] = field(default_factory=list[Difference])


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the proof reads."""

    clickhouse: Client
    redis: Redis
    postgres: AsyncEngine
    kafka: Kafka
    reference: spread_check.Tables


Zones = Mapping[tuple[str, str], str]  # whose days those of a spread are, by (tenant, instrument)
NO_ZONES: Final[Zones] = MappingProxyType({})
Differing = list[tuple[Series, list[Difference]]]


def rules_of(one: Series, zones: Zones = NO_ZONES) -> bars.Rules:
    """What the registry of products says of an instrument, and of a spread its definition (`zones`)."""
    product = products.product(one.market, one.product)
    zone = products.market(one.market).zone if product.day == "market" else "UTC"
    names = tuple(interval.name for interval in intervals(one.market, one.product))
    zone = zones.get((one.tenant, one.instrument), zone)
    return bars.Rules(names, zone, round(product.grace.total_seconds() * 1_000_000), UNUSABLE)


def check_instruments(stores: Stores, since: datetime, report: Report, progress: Callable[[Report], None]) -> None:
    """I2, I3, I6 of every instrument with a price since an instant."""
    doubtful: Differing = []
    for group in _groups(ticks.series(stores.clickhouse, since)):
        report.instruments += len(group)
        report.publications += sum(len(one.publications) for one in group)
        doubtful += [(one, found) for one, found in _compared(stores, group, report) if found]
        progress(report)
    for _ in range(_READ_AGAIN):
        doubtful = _read_again(stores, doubtful)
    report.differences += [difference for _, found in doubtful for difference in found]


def _read_again(stores: Stores, doubtful: Differing) -> Differing:
    """What still differs a moment later: a system at work is between two states."""
    if not doubtful:
        return []
    time.sleep(_PAUSE_S)
    read = (ticks.of_instrument(stores.clickhouse, one.tenant, one.instrument) for one, _ in doubtful)
    again = [one for one in read if one is not None]
    return [(one, found) for group in _groups(again) for one, found in _compared(stores, group, Report()) if found]


def _groups(every: Iterable[Series]) -> Iterator[list[Series]]:
    """Instruments of one tenant, some at a time."""
    group: list[Series] = []
    for one in every:
        if group and (group[0].tenant != one.tenant or len(group) == _TOGETHER):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _compared(stores: Stores, group: list[Series], report: Report) -> Iterator[tuple[Series, list[Difference]]]:
    tenant, names, zones = group[0].tenant, [one.instrument for one in group], spread_check.zones(stores.reference)
    of = {one.instrument: rules_of(one, zones) for one in group}
    wanted = sorted({interval for rules in of.values() for interval in rules.intervals} - {_INTERNAL})
    have = stored.bars(stores.clickhouse, tenant, names, wanted)
    prices = stored.prices(stores.clickhouse, tenant, names)
    register = latest.stored(stores.redis, tenant, names)
    for one in group:
        name, rules = one.instrument, of[one.instrument]
        report.bars += len(have[name])
        yield (
            one,
            [
                *_bars_differ(one, bars.bars(one.publications, rules), have[name]),
                *_prices_differ(one, rules, prices[name]),
                *latest.differences(one, rules, register[name]),
            ],
        )


def _bars_differ(one: Series, wanted: list[Bar], have: list[Bar]) -> Iterator[Difference]:
    """I3: none missing, none extra, every field equal."""
    served = [bar for bar in wanted if bar.interval != _INTERNAL]
    expected, found = ({(bar.interval, bar.start): bar for bar in made} for made in (served, have))
    if len(found) != len(have):
        yield Difference("I3", f"bars of {one.name}", f"{len(found)} distinct", f"{len(have)} rows")
    for key in sorted(expected.keys() | found.keys()):
        if expected.get(key) != found.get(key):
            where = f"{key[0]} bar at {key[1]} us of {one.name}"
            yield Difference("I3", where, str(expected.get(key, "no bar")), str(found.get(key, "no bar")))


def _prices_differ(one: Series, rules: bars.Rules, have: list[tuple[object, ...]]) -> Iterator[Difference]:
    """I2: the tick read shows one price an identity, and it is the one that stands."""
    wanted = {
        (*each.current.identity, each.current.price, len(each.effective) - 1)
        for each in bars.replay(one.publications, rules.unusable)
    }
    if len(have) != len(wanted) or set(have) != wanted:
        odd = sorted(wanted.symmetric_difference(have), key=str)[:3]
        yield Difference("I2", f"prices of {one.name}", f"{len(wanted)} identities", f"{len(have)}, e.g. {odd}")


def check_strays(stores: Stores, report: Report) -> None:
    """I3, I6: no bar and no latest price of an instrument that has no price at all."""
    barred, priced = stored.with_bars(stores.clickhouse), latest.registered(stores.redis)
    known = ticks.instruments(stores.clickhouse)  # read last: what lands meanwhile is no stray
    for tenant, instrument in sorted(barred - known):
        report.differences.append(
            Difference("I3", f"bars of {instrument} of {tenant}", "none: it has no price", "some")
        )
    for tenant, instrument in sorted(priced - known):
        report.differences.append(Difference("I6", f"latest price of {instrument} of {tenant}", "none", "one"))


def check_curves(stores: Stores, report: Report) -> None:
    """I7: every snapshot of a forward curve equals the replay of what is stored of its contracts."""
    report.curves, found = curve_check.check(stores.clickhouse, stores.reference)
    report.differences += found


def check_spreads(stores: Stores, report: Report) -> None:
    """Every spread equals its formula over what is stored of its legs, message by message."""
    report.spreads, found = spread_check.check(stores.clickhouse, stores.reference)
    report.differences += found


async def check_positions(stores: Stores, report: Report) -> None:
    """I1, I4, I5 of the raw topic. Committed offsets are read before the ledger, which can only be ahead of them."""
    partitions = kafka.partitions(stores.kafka)
    frame = await ledger_ranges(stores.postgres)
    # After the ledger: what it says has landed is in the dead letters and in the store by now.
    letters = kafka.dead_letters(stores.kafka)
    columns = (
        "topic_id", "partition", "first_offset", "next_offset", "messages", "ticks", "rejects", "dead_letters",
    )  # fmt: skip
    ranges = [positions.Range(*row) for row in frame.select(columns).iter_rows()]
    stored_positions = ticks.positions(stores.clickhouse)
    reading = await readers(stores.postgres)
    report.messages = sum(len(partition.offsets) for partition in partitions)
    report.differences += positions.check(partitions, ranges, stored_positions, letters, reading)
