"""MISO's daily CSV files and the public JSON of the five-minute prices. Hours and stamps END, in EST all year."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Final

from local.documents.prices import HOUR, Parts, Price, level, lines, parts, text

EST: Final = timezone(timedelta(hours=-5))
FIVE: Final = timedelta(minutes=5)
_KINDS: Final = ("LMP", "MCC", "MLC")
_TITLES: Final = {
    "da_expost_lmp": "Day Ahead Market ExPost LMPs", "da_exante_lmp": "Day Ahead Market ExAnte LMPs",
    "rt_lmp_prelim": "Realtime Market LMPs", "rt_lmp_final": "Realtime Market LMPs",
}  # fmt: skip
HUBS: Final = tuple(f"{name}.HUB" for name in (
    "ARKANSAS", "ILLINOIS", "INDIANA", "LOUISIANA", "MICHIGAN", "MINN", "MS", "TEXAS"))  # fmt: skip


def day(kind: str, of: date, prices: Sequence[Price]) -> tuple[str, bytes]:
    """Name and content of a daily file: all LMP rows, then all MCC, then all MLC; 24 hours, whatever the clock does."""
    nodes = dict.fromkeys(price.node for price in prices)
    cells = {(price.node, price.start): _parts(price) for price in prices}
    first = datetime(of.year, of.month, of.day, tzinfo=EST)
    hours = [first + step * HOUR for step in range(24)]
    head = [_TITLES[kind], f"{of.month}/{of.day}/{of.year}", "",
            ",,,All Hours-Ending are Eastern Standard Time (EST)",
            "Node,Type,Value," + ",".join(f"HE {hour}" for hour in range(1, 25))]  # fmt: skip
    rows = (
        f"{node},{_type(node)},{kind},{','.join(_cell(cells[node, hour], place) for hour in hours)}"
        for place, kind in enumerate(_KINDS)
        for node in nodes
    )
    return f"{of:%Y%m%d}_{kind}.csv", lines([*head, *rows], "\r\n")


def five_minutes(prices: Sequence[Price], which: str = "Current") -> tuple[str, bytes]:
    """Name and content of the answer about an interval (`Current`, `Previous`) or an hour (`Rolling`)."""
    rows = [[_end(price.start), price.node, *(_cell(_parts(price), place) for place in (0, 2, 1))] for price in prices]
    body = {"headers": ["INTERVAL", "CPNODE", "LMP", "MLC", "MCC"], "rows": rows}
    return f"GetRealTimeFiveMinExPost_{which}.json", json.dumps(body, separators=(",", ":")).encode()


def _end(start: datetime) -> str:
    return (start.astimezone(EST) + FIVE).strftime("%Y-%m-%dT%H:%M:00")


def _parts(price: Price) -> Parts:
    return parts(price, level(price.start, EST), 2)


def _cell(of: Parts, place: int) -> str:
    return text((of.total, of.congestion, of.loss)[place], 2)


def _type(node: str) -> str:
    return "Hub" if node.endswith(".HUB") else "Gennode"
