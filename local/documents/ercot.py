"""ERCOT's CSV files of settlement points: hours and quarters by number, the runs of SCED by their second.

Prices have no parts here. In the hour that comes twice, `Y` marks the second one.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from local.documents.prices import Price, lines, text

CENTRAL: Final = ZoneInfo("America/Chicago")
_TYPES: Final = {"HB_BUSAVG": "SH", "HB_HUBAVG": "AH"}
HUBS: Final = ("HB_BUSAVG", "HB_HOUSTON", "HB_HUBAVG", "HB_NORTH", "HB_PAN", "HB_SOUTH", "HB_WEST")
POINTS: Final = (*HUBS, "LZ_AEN", "LZ_CPS", "LZ_HOUSTON", "LZ_LCRA", "LZ_NORTH", "LZ_RAYBN", "LZ_SOUTH", "LZ_WEST")


def day_ahead(of: date, prices: Iterable[Price]) -> tuple[str, bytes]:
    """NP4-190-CD: name and content; a blank before each price, as ERCOT writes it."""
    rows = (
        f"{local:%m/%d/%Y},{local.hour + 1:02}:00,{price.node}, {_price(price)},{_flag(local)}"
        for price, local in _local(prices)
    )
    head = "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag"
    return f"cdr.00012331.0000000000000000.{of:%Y%m%d}.DAMSPNP4190.csv", lines([head, *rows])


def settlement(prices: Sequence[Price]) -> tuple[str, bytes]:
    """NP6-905-CD of one quarter of an hour; a load zone stands there twice, as LZ and as LZEW."""
    rows = (
        f"{local:%m/%d/%Y},{local.hour + 1},{local.minute // 15 + 1},{price.node},{kind},{_price(price)},{_flag(local)}"
        for price, local in _local(prices)
        for kind in _types(price.node)
    )
    head = ("DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,"
            "SettlementPointPrice,DSTFlag")  # fmt: skip
    return f"cdr.00012301.{_made(prices)}.SPPHLZNP6905.csv", lines([head, *rows])


def sced(prices: Sequence[Price]) -> tuple[str, bytes]:
    """NP6-788-CD of one run: prices right-aligned in 12 characters."""
    rows = (
        f"{local:%m/%d/%Y %H:%M:%S},{_flag(local)},{price.node},{_price(price):>12}" for price, local in _local(prices)
    )
    head = "SCEDTimestamp,RepeatedHourFlag,SettlementPoint,LMP"
    return f"cdr.00012300.{_made(prices)}.LMPSROSNODENP6788.csv", lines([head, *rows])


def _local(prices: Iterable[Price]) -> Iterable[tuple[Price, datetime]]:
    return ((price, price.start.astimezone(CENTRAL)) for price in prices)


def _made(prices: Sequence[Price]) -> str:
    return f"0000000000000000.{prices[0].start.astimezone(CENTRAL):%Y%m%d.%H%M%S}"


def _price(price: Price) -> str:
    return text(round(price.usd * 100), 2)


def _flag(local: datetime) -> str:
    return "Y" if local.fold else "N"


def _types(node: str) -> tuple[str, ...]:
    if node.startswith("LZ_"):
        return ("LZ", "LZEW")
    return (_TYPES.get(node, "HU" if node.startswith("HB_") else "RN"),)
