"""Henry Hub as quote vendors and exchanges give it: the chain of futures, settlements by nearby position, spot prices.

Contracts are those of the rule: the front one trades until the third last business day before its month.
"""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from math import cos, sin, tau
from typing import Final
from zoneinfo import ZoneInfo

from local.documents.prices import lines, seeded
from pipeline import holidays, trading

NEW_YORK: Final = ZoneInfo("America/New_York")
POSITIONS: Final = 36
_STALE: Final = 30  # from this contract on some are quoted on a few days only
_DAY: Final = timedelta(days=1)


def is_trading(day: date) -> bool:
    """Whether futures are traded on a day."""
    return trading.business_day_before(day + _DAY, 1, holidays.nymex(day.year)) == day


def trading_days(first: date, end: date) -> list[date]:
    """The trading days of [first, end)."""
    every = (first + step * _DAY for step in range((end - first).days))
    return [day for day in every if is_trading(day)]


def chain(at: datetime) -> tuple[str, bytes]:
    """Name and content of a vendor's answer: the last price of each contract and when it was."""
    day = at.astimezone(NEW_YORK).date()
    body = {"lastUpdated": _stamp(at), "data": [_quote(month, place, at) for place, month in enumerate(_months(day))]}
    return f"ng_forward_curve_{day}.json", json.dumps(body, separators=(",", ":")).encode()


def strip(days: Iterable[date]) -> tuple[str, bytes]:
    """Name and content of a table of settlements, a row a trading day."""
    rows = [f"{day},{','.join(f'{_settled(month, day):.3f}' for month in _months(day))}" for day in days]
    head = ",".join(["date", *(f"NG{place:02d}" for place in range(1, POSITIONS + 1))])
    return "ng_nearby.csv", lines([head, *rows])


def spot(days: Iterable[date]) -> tuple[str, bytes]:
    """Name and content of a table of daily spot prices."""
    rows = [f"{day},{_level(day) + seeded('spot', day).gauss(0, 0.06):.2f}" for day in days]
    return "henry_hub_spot_daily.csv", lines(["Date,Price", *rows])


def _months(day: date) -> list[date]:
    """The delivery months that are traded on a day, nearest first."""
    first = date(day.year, day.month, 1)
    following = [_later(first, step) for step in range(1, POSITIONS + 2)]
    return [month for month in following if _last_trade(month) >= day][:POSITIONS]


def _last_trade(month: date) -> date:
    return trading.last_trade_ng(month, holidays.nymex(month.year) | holidays.nymex(month.year - 1))


def _later(month: date, steps: int) -> date:
    number = month.year * 12 + month.month - 1 + steps
    return date(number // 12, number % 12 + 1, 1)


def _quote(month: date, place: int, at: datetime) -> dict[str, object]:
    quoted = at - timedelta(seconds=place * 7)
    if place >= _STALE and place % 5:  # nobody has asked for it since
        quoted = at.replace(hour=15, minute=0, second=place) - place % 5 * _DAY
    code = f"NG{trading.MONTH_LETTERS[month.month - 1]}{month:%y}"
    price = round(_settled(month, quoted.date()) + seeded("quote", month, quoted).gauss(0, 0.02), 3)
    return {
        "contract": f"{month:%b %Y}", "symbol": f"{code}.NYM", "month": month.month, "year": month.year,
        "cmeCode": code, "price": price, "open": price, "high": price, "low": price,
        "volume": max(0, 90_000 - 2_500 * place), "lastUpdate": _stamp(quoted), "expiryDate": str(_last_trade(month)),
    }  # fmt: skip


def _settled(month: date, day: date) -> float:
    """Dear winters, and a level that comes back to 3.6 with the years."""
    season = 0.55 * cos(tau * (month.month - 1) / 12)
    ahead = (month - day).days / 365
    return 3.6 + season + (_level(day) - 3.6) / (1 + ahead) + seeded("settled", month, day).gauss(0, 0.004)


def _level(day: date) -> float:
    return 3.2 + 0.5 * sin(tau * day.toordinal() / 97) + seeded("level", day).gauss(0, 0.05)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
