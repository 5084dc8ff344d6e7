"""Publications of made-up contracts, and the calendar that they are traded by."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from pipeline.curves.definitions import Calendar, Curve
from pipeline.schema import TICKS
from pipeline.trading import MONTH_LETTERS

Row = dict[str, Any]
MONDAY = date(2026, 3, 2)
HOLIDAY = date(2026, 3, 4)
NEW_YORK = ZoneInfo("America/New_York")
CURVE = Curve(
    "public", "henry_hub.futures", "henry_hub", "futures", "Henry Hub", "NG", "America/Chicago", "USD/MMBtu", "atc",
    "month", Decimal("0.001"), "America/New_York", time(17), 5, "test",
)  # fmt: skip


def contract(year: int, month: int, last_trade: date | None = None) -> Row:
    """A month whose last trade is, without another one, on the 26th of the month before."""
    start, code = date(year, month, 1), f"NG{MONTH_LETTERS[month - 1]}{year % 100:02}"
    return {
        "tenant": "public", "market": "henry_hub", "contract": code, "root": "NG",
        "delivery_start": start, "delivery_end": (start + timedelta(days=31)).replace(day=1),
        "last_trade": last_trade or (start - timedelta(days=1)).replace(day=26),
    }  # fmt: skip


CALENDAR = Calendar(
    pl.DataFrame([contract(2026 + at // 12, at % 12 + 1) for at in range(24)]), frozenset({HOLIDAY})
)  # fmt: skip


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """An instant of New York; hours below 0 are of the evening before."""
    midnight = datetime.combine(day, time(), NEW_YORK)
    return (midnight + timedelta(hours=hour, minutes=minute)).astimezone(UTC)


def publication(code: str, ts: datetime, price: str, **more: Any) -> Row:
    """A publication of the contract; `more` overrides its columns."""
    row: Row = dict.fromkeys(TICKS)
    row |= {
        "tenant": "public", "instrument": f"henry_hub.futures.{code}", "market": "henry_hub", "product": "futures",
        "location": code, "ts": ts, "source_rank": 0, "event_id": "", "start": ts, "price": Decimal(price), "flags": 1,
        "version": 0, "source": "test", "known_at": datetime(2026, 4, 1, tzinfo=UTC), "topic_id": "topic",
        "partition": 0, "offset": 0, "row": 1,
    }  # fmt: skip
    known = {"known_at": row["known_at"] + timedelta(minutes=more.get("offset", 0))}
    return row | known | more


def strip(day: date, *prices: str, **more: Any) -> list[Row]:
    """The settlements of a day by nearby position."""
    ts = datetime.combine(day, time(), UTC)
    end = ts + timedelta(days=1)
    held = {"end": end, "hold_end": end} | more
    return [publication(f"NG{place:02}", ts, price, **held) for place, price in enumerate(prices, 1)]


def chain(ts: datetime, code: str, price: str, **more: Any) -> Row:
    """A vendor's last price of a contract."""
    return publication(code, ts, price, **more)


def generic(code: str, ts: datetime | date, price: str, **more: Any) -> Row:
    """A generic tick."""
    when = ts if isinstance(ts, datetime) else at(ts, 12)
    own = {"location": None, "source_rank": 1, "event_id": f"{code}/{when}", "row": 0}
    return publication(code, when, price, **own | more)
