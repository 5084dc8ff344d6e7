"""Rows as REST and the stream show them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]
STEP = timedelta(minutes=5)
NODE = "caiso.rt_5min.TH_NP15_GEN-APND"
OTHER = "caiso.rt_5min.TH_SP15_GEN-APND"
THIRD = "caiso.rt_5min.TH_ZP26_GEN-APND"
CURVE = "henry_hub.futures"


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  a browser's clock is that of the machine


def text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def begun(interval: timedelta = STEP, back: int = 0) -> datetime:
    """The start of the interval that holds now, or of one before it."""
    at, epoch = now(), datetime(1970, 1, 1, tzinfo=UTC)
    return at - (at - epoch) % interval - back * interval


def price(instrument: str, value: float | None, start: datetime | None = None, **more: Any) -> Row:
    """A row of the channel `prices`, live for the next minutes."""
    market, product, location = instrument.split(".", 2)
    at = start or begun()
    flags = ["VALID", "PRICE_NEGATIVE"] if value is not None and value < 0 else ["VALID"]
    row: Row = {
        "instrument": instrument, "market": market, "product": product, "location": location, "location_type": "HUB",
        "interval_start": text(at), "interval_end": text(at + STEP), "price": value, "energy": None,
        "congestion": None, "loss": None, "ghg": None, "volume": None, "bid": None, "ask": None, "unit": "USD/MWh",
        "currency": "USD", "flags": flags, "version": 0, "revision": 0,
        "known_at": text(now() - timedelta(milliseconds=300)), "tenant": "public", "mode": "newest",
        "cadence_seconds": 300.0, "live_until": text(at + 3 * STEP), "late_until": text(at + 5 * STEP),
    }  # fmt: skip
    return row | more


def bar(instrument: str, start: datetime, prices: Sequence[float], interval: str = "5m", **more: Any) -> Row:
    """A bar of these prices: the first one opens, the last one closes."""
    row: Row = {
        "instrument": instrument, "interval": interval, "start": text(start), "end": text(start + STEP),
        "open": prices[0], "high": max(prices), "low": min(prices), "close": prices[-1], "volume": None, "vwap": None,
        "twap": round(sum(prices) / len(prices), 4), "covered_seconds": 300.0, "count": len(prices), "flags": [],
        "is_final": start + 2 * STEP < now(), "revision": 0, "updated_at": text(min(start + STEP, now())),
        "tenant": "public",
    }  # fmt: skip
    return row | more


def snapshot(session: str, prices: Sequence[float], version: int = 0, **more: Any) -> Row:
    """A curve of months from next January on."""
    row: Row = {
        "curve": CURVE, "tenant": "public", "session": session, "at": f"{session}T19:30:00Z",
        "known_at": f"{session}T19:45:00Z", "version": version, "partial": False, "unit": "USD/MMBtu",
        "points": [_point(month, value) for month, value in enumerate(prices)], "rejected": [], "complete": None,
    }  # fmt: skip
    return row | more


def _point(month: int, value: float) -> Row:
    start, end = (datetime(2027 + at // 12, at % 12 + 1, 1, 5, tzinfo=UTC) for at in (month, month + 1))
    point = {"start": text(start), "end": text(end), "product": "month", "price": value, "kind": "settle"}
    return point | {"flags": [], "age": 0, "inputs": [f"NG{month}"]}
