"""CAISO OASIS documents as CAISO would publish them, with made-up prices."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from local.documents.prices import Price, begin_of, text, zipped

PACIFIC: Final = ZoneInfo("America/Los_Angeles")
_PARTS: Final = (("LMP", "LMP_PRC"), ("MCE", "LMP_ENE_PRC"), ("MCC", "LMP_CONG_PRC"), ("MCL", "LMP_LOSS_PRC"),
                 ("MGHG", "LMP_GHG_PRC"))  # fmt: skip
_KEYS: Final = "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR"
_NODE: Final = "NODE_ID_XML,NODE_ID,NODE,MARKET_RUN_ID,LMP_TYPE,XML_DATA_ITEM,PNODE_RESMRID,GRP_TYPE,POS"


@dataclass(frozen=True, slots=True)
class Report:
    """One kind of document. The price column and the column order differ by report, as they really do."""

    report: str
    market: str
    length: timedelta
    column: str
    daily: bool = False

    def intervals(self, day: date) -> int:
        """How many intervals a document holds: one, or the hours of the Pacific day."""
        if not self.daily:
            return 1
        return round((begin_of(day + timedelta(days=1), PACIFIC) - begin_of(day, PACIFIC)) / self.length)

    def name(self, start: datetime, end: datetime, made: datetime) -> str:
        """The file's name without its ending."""
        made_at = made.astimezone(PACIFIC).strftime("%Y%m%d_%H_%M_%S")
        return f"{_day(start)}_{_day(end)}_{self.report}_{self.market}_{made_at}_v1"


DAM: Final = Report("PRC_LMP", "DAM", timedelta(hours=1), "MW", daily=True)
RTPD: Final = Report("PRC_RTPD_LMP", "RTPD", timedelta(minutes=15), "PRC")
RTM: Final = Report("PRC_INTVL_LMP", "RTM", timedelta(minutes=5), "MW")


def csv(report: Report, prices: Iterable[Price]) -> bytes:
    """The document: one row a component, LMP = MCE + MCC + MCL + MGHG to the last digit."""
    first = f"{_KEYS},OPR_INTERVAL,{_NODE},{report.column},GROUP"
    other = f"{_KEYS},{_NODE},{report.column},OPR_INTERVAL,GROUP"
    lines = [first if report.daily else other]
    lines.extend(line for price in prices for line in _rows(report, price))
    return ("\n".join(lines) + "\n").encode()


def _rows(report: Report, price: Price) -> Iterator[str]:
    # Integers of 10^-5 USD: components add up exactly.
    total = round(price.usd * 100_000)
    congestion, loss = total // 10, -(total // 50)
    values = (total, total - congestion - loss, congestion, loss, 0)
    local = price.start.astimezone(PACIFIC)
    end = price.start + report.length
    hour = 25 if local.fold else local.hour + 1  # how OASIS calls the hour that comes twice
    interval = 0 if report.daily else local.minute // int(report.length.total_seconds() // 60) + 1
    keys = f"{_stamp(price.start)},{_stamp(end)},{local:%Y-%m-%d},{hour if report.daily else f'{hour:02}'}"
    group = "ALL_APNODES" if price.node.endswith("APND") else "ALL"
    for (part, item), value in zip(_PARTS, values, strict=True):
        node = f"{price.node},{price.node},{price.node},{report.market},{part},{item},{price.node},{group},0"
        amount = text(value, 5)
        yield f"{keys},{interval},{node},{amount},1" if report.daily else f"{keys},{node},{amount},{interval},1"


def answer(name: str, content: bytes) -> bytes:
    """The document as OASIS answers: a ZIP with one CSV."""
    return zipped(f"{name}.csv", content)


def refusal() -> bytes:
    """A ZIP that holds the error answer of a busy OASIS."""
    return zipped("INVALID_REQUEST.xml", (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<m:OASISReport xmlns:m="http://www.caiso.com/soa/OASISReport_v1.xsd">'
        b"<m:MessagePayload><m:RTO><m:name>CAISO</m:name><m:ERROR><m:ERR_CODE>1015</m:ERR_CODE>"
        b"<m:ERR_DESC>GroupZip DownLoad is in Processing, Please Submit request after Sometime</m:ERR_DESC>"
        b"</m:ERROR></m:RTO></m:MessagePayload></m:OASISReport>\n"
    ))  # fmt: skip


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}-00:00"


def _day(at: datetime) -> str:
    return f"{at.astimezone(PACIFIC):%Y%m%d}"
