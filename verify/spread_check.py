"""Every spread that is defined, against what is stored of it."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl
from clickhouse_connect.driver.client import Client

from verify import ticks
from verify.model import Difference, Publication
from verify.spread_parts import Calendar, Definition, off_peak_days, peaks
from verify.spreads import Derived, Series, differences, expected, grouped

MARKET: Final = "spread"
_READ_AGAIN: Final = 5
_PAUSE_S: Final = 1.0
Tables = Mapping[str, pl.DataFrame]  # of the reference
Who = tuple[str, str]  # tenant, and a spread or an instrument


@dataclass
class _Reader:
    """Publications of instruments, each read once, and none of those of which nothing is stored: most definitions have
    no price in most systems."""

    client: Client
    there: set[Who]
    held: dict[Who, Series] = field(default_factory=dict[Who, Series])

    def __call__(self, tenant: str, instrument: str) -> Series:
        if (tenant, instrument) not in self.held:
            self.held[tenant, instrument] = grouped(self.publications(tenant, instrument))
        return self.held[tenant, instrument]

    def publications(self, tenant: str, instrument: str) -> list[Publication]:
        if (tenant, instrument) not in self.there:
            return []
        one = ticks.of_instrument(self.client, tenant, instrument)
        return [] if one is None else one.publications


def check(client: Client, tables: Tables) -> tuple[int, list[Difference]]:
    """How many values were checked, and what differs; what differs is read again: a system at work moves."""
    defined, calendar = definitions(tables), calendar_of(tables)
    values, found = _checked(client, defined, calendar)
    for _ in range(_READ_AGAIN):
        if not found:
            break
        time.sleep(_PAUSE_S)
        _, found = _checked(client, {who: defined[who] for who in found}, calendar)
    strays = _strays(client, defined)
    return values, [*(each for some in found.values() for each in some), *strays]


def zones(tables: Tables) -> dict[tuple[str, str], str]:
    """Whose days those of each spread's instrument are, by (tenant, instrument)."""
    rows = tables["spreads"].select("tenant", "spread", "zone").iter_rows()
    return {(tenant, f"{MARKET}.{spread}"): zone for tenant, spread, zone in rows}


def definitions(tables: Tables) -> dict[Who, list[Definition]]:
    """The rows of each spread."""
    found: dict[Who, list[Definition]] = {}
    columns = ("tenant", "spread", "valid_from", "valid_to", "zone", "legs")
    for row in tables["spreads"].select(columns).iter_rows():
        found.setdefault((row[0], row[1]), []).append(Definition(*row))
    return found


def calendar_of(tables: Tables) -> Calendar:
    """Plain sets and lists of the reference."""
    listed: dict[tuple[str, str], list[tuple[date, str]]] = {}
    public = {name: tables[name].filter(tenant="public") for name in ("contracts", "holidays")}
    for market, root, last, name in public["contracts"].select("market", "root", "last_trade", "contract").iter_rows():
        if last is not None:
            listed.setdefault((market, root), []).append((last, name))
    days = public["holidays"].select("calendar", "day").rows()
    return Calendar(
        frozenset(day for calendar, day in days if calendar == "nymex"),
        off_peak_days(),
        {key: sorted(names) for key, names in listed.items()},
        peaks(),
    )


def _checked(
    client: Client, defined: Mapping[Who, list[Definition]], calendar: Calendar
) -> tuple[int, dict[Who, list[Difference]]]:
    read, values = _Reader(client, ticks.instruments(client)), 0
    found: dict[Who, list[Difference]] = {}
    for who, rows in defined.items():
        wanted: Derived = {}
        for row in rows:
            wanted |= expected(row, read, calendar)
        have = read.publications(who[0], f"{MARKET}.{who[1]}")
        values += len(wanted)
        odd = list(differences(f"{who[1]} of {who[0]}", wanted, have))
        if odd:
            found[who] = odd
    return values, found


def _strays(client: Client, defined: Mapping[Who, object]) -> Iterator[Difference]:
    known = ticks.instruments(client)
    for tenant, instrument in sorted(known):
        market, _, spread = instrument.partition(".")
        if market == MARKET and (tenant, spread) not in defined:
            yield Difference("spread", f"{spread} of {tenant}", "no value: it is not defined", "some")
