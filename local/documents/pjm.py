"""PJM Data Miner 2: CSV exports and API answers, the instants in UTC beside Eastern time."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from local.documents.prices import Parts, Price, level, lines, parts, text

EASTERN: Final = ZoneInfo("America/New_York")
DIGITS: Final = 6
_HEADER: Final = (
    "datetime_beginning_utc,datetime_beginning_ept,pnode_id,pnode_name,voltage,equipment,type,zone,"
    "system_energy_price_{0},total_lmp_{0},congestion_price_{0},marginal_loss_price_{0},row_is_current,version_nbr"
)
HUBS: Final = {
    "51217": "EASTERN HUB", "51287": "WEST INT HUB", "51288": "WESTERN HUB", "4669664": "AEP-DAYTON HUB",
    "33092311": "AEP GEN HUB", "33092313": "CHICAGO HUB", "33092315": "DOMINION HUB", "34497125": "OHIO HUB",
}  # fmt: skip


def export(feed: str, prices: Iterable[Price], version: int = 1) -> tuple[str, bytes]:
    """Name and content of a CSV export of `da_hrl_lmps`, `rt_hrl_lmps` or `rt_fivemin_hrl_lmps`."""
    side = "da" if feed.startswith("da") else "rt"
    rows = (
        f"{_stamp(price.start.astimezone(UTC))},{_stamp(price.start.astimezone(EASTERN))},{price.node},{_name(price.node)},,,{_type(price.node)},,"
        f"{','.join(text(each, DIGITS) for each in _ordered(price))},True,{version}"
        for price in prices
    )
    return f"{feed}.csv", lines([_HEADER.format(side), *rows], "\r\n")


def unverified(feed: str, prices: Sequence[Price]) -> tuple[str, bytes]:
    """Name and content of an API answer of `rt_unverified_fivemin_lmps`, or of `rt_unverified_hrl_lmps`, which gives
    names alone: without energy."""
    items = [_item(price, by_id="hrl" not in feed) for price in prices]
    body: dict[str, Any] = {
        "links": [{"rel": "self", "href": f"https://api.pjm.com/api/v1/{feed}?rowCount=50000&startRow=1"}],
        "items": [], "searchSpecification": {"rowCount": 50000, "startRow": 1}, "totalRows": len(items),
    }  # fmt: skip
    # Amounts are numbers with all their digits, which a float would not keep.
    return f"{feed}.json", json.dumps(body).replace('"items": []', f'"items": [{", ".join(items)}]').encode()


def _item(price: Price, *, by_id: bool) -> str:
    amounts = _parts(price)
    utc, local = (f"{at:%Y-%m-%dT%H:%M:%S}" for at in (price.start, price.start.astimezone(EASTERN)))
    facts = {"datetime_beginning_utc": utc, "datetime_beginning_ept": local, "pnode_name": _name(price.node),
             "type": _type(price.node)} | ({"pnode_id": int(price.node)} if by_id else {})  # fmt: skip
    return json.dumps(facts)[:-1] + (
        f', "total_lmp_rt": {text(amounts.total, DIGITS)}, "congestion_price_rt": {text(amounts.congestion, DIGITS)}'
        f', "marginal_loss_price_rt": {text(amounts.loss, DIGITS)}}}'
    )


def _parts(price: Price) -> Parts:
    return parts(price, level(price.start, EASTERN), DIGITS)


def _ordered(price: Price) -> tuple[int, int, int, int]:
    amounts = _parts(price)
    return amounts.energy, amounts.total, amounts.congestion, amounts.loss


def _stamp(at: datetime) -> str:
    """As the export writes it: without leading zeros, hours of twice twelve."""
    return f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M:%S} {'AM' if at.hour < 12 else 'PM'}"


def _name(node: str) -> str:
    return HUBS.get(node, f"NODE {node}")


def _type(node: str) -> str:
    return "HUB" if node in HUBS else "LOAD"
