"""Definitions, calendars and publications that the tests of spreads share."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from pipeline.bars import touched
from pipeline.schema import SEEN
from pipeline.spreads.calendars import Calendars
from pipeline.spreads.cells import cells
from pipeline.spreads.definitions import Definition, of_row
from pipeline.spreads.derive import derive
from pipeline.spreads.plan import plan_of

HOUR = timedelta(hours=1)
NOON = datetime(2025, 5, 1, 12, tzinfo=UTC)
LABOR_DAY = date(2025, 9, 1)
CONTRACTS: Mapping[str, date] = {
    "NGV25": date(2025, 9, 26), "NGX25": date(2025, 10, 29), "NGZ25": date(2025, 11, 25),
}  # fmt: skip
Row = dict[str, Any]


def calendars() -> Calendars:
    rows = [("henry_hub", name, "NG", last, nth) for nth, (name, last) in enumerate(CONTRACTS.items(), 1)]
    contracts = pl.DataFrame(rows, ["market", "contract", "root", "last_trade", "nth"], orient="row")
    return Calendars((LABOR_DAY,), contracts)


def row(spread: str, *legs: Mapping[str, str], **more: object) -> dict[str, object]:
    """A row of the table `spreads`."""
    kind = spread.partition(".")[0]
    units = {"heat_rate": "MMBtu/MWh", "calendar": "USD/MMBtu", "gas_basis": "USD/MMBtu"}
    zone = "UTC" if kind in {"calendar", "gas_basis"} else "America/New_York"
    made: dict[str, object] = {
        "tenant": "public", "spread": spread, "valid_from": None, "valid_to": None, "zone": zone,
        "unit": units.get(kind, "USD/MWh"), "formula": "", "legs": json.dumps(legs), "source": "test",
    }  # fmt: skip
    return made | more


def leg(instrument: str, weight: str = "1", **more: str) -> dict[str, str]:
    return {"instrument": instrument, "weight": weight, **more}


def dart(**more: object) -> Definition:
    return of_row(row("dart.west", leg("pjm.da_hourly.1"), leg("pjm.rt_hourly.1", "-1"), **more))


def published(instrument: str, start: datetime, price: str, offset: int = 0, **more: Any) -> Row:
    """One publication; each offset is a message a minute later."""
    market, product = instrument.split(".")[:2]
    made: Row = dict.fromkeys(SEEN)
    made |= {
        "tenant": "public", "instrument": instrument, "market": market, "product": product, "ts": start,
        "start": start, "end": start + HOUR, "price": Decimal(price), "source_rank": 0, "event_id": "", "flags": 1,
        "version": 0, "source": "test", "known_at": NOON + offset * timedelta(minutes=1), "topic_id": "t",
        "partition": 0, "offset": offset, "row": 1, "parser_version": 3,
    }  # fmt: skip
    return made | more


def frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(SEEN), orient="row")


def derived(definitions: Definition | list[Definition], rows: list[Row]) -> list[Row]:
    """All that follows from these publications, in known order."""
    given = definitions if isinstance(definitions, list) else [definitions]
    plan, seen = plan_of(given, calendars()), frame(rows)
    found = derive(plan, cells(plan, touched(seen)), seen)
    return found.sort("instrument", "tenant", "start", "known_at", "offset").to_dicts()


def values(definitions: Definition | list[Definition], rows: list[Row]) -> list[tuple[datetime, int, Decimal]]:
    """(start, offset, price) of all that follows."""
    return [(each["start"], each["offset"], each["price"]) for each in derived(definitions, rows)]
