"""Made-up prices, the same for the same facts, and what all markets' documents share."""

import io
import random
import zipfile
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

_OLD: Final = (1980, 1, 1, 0, 0, 0)  # a fixed time in the archive: the same prices give the same bytes
HOUR: Final = timedelta(hours=1)


class Price(NamedTuple):
    """The price of a location for an interval, USD/MWh."""

    node: str
    start: datetime
    usd: float


class Parts(NamedTuple):
    """A price and its parts in integers of the document's last digit: total = energy + congestion + loss, exactly."""

    total: int
    energy: int
    congestion: int
    loss: int


def parts(price: Price, energy: float, digits: int) -> Parts:
    """`energy` is the same at all locations of an interval; a fifth of what is left counts as losses."""
    total, same = (round(amount * 10**digits) for amount in (price.usd, energy))
    loss = (total - same) // 5
    return Parts(total, same, total - same - loss, loss)


def text(value: int, digits: int) -> str:
    """An integer of the last digit, written out."""
    unit = 10**digits
    return f"{'-' if value < 0 else ''}{abs(value) // unit}.{abs(value) % unit:0{digits}}"


def usd(market: str, node: str, start: datetime, zone: tzinfo, correction: int = 0) -> float:
    """A day with cheap (and negative) noons, dear evenings, and now and then a spike."""
    own = seeded(market, node, start, correction)
    spike = 800 * own.random() if own.random() < 0.002 else 0.0
    return level(start, zone) + own.gauss(0, 4) + spike


def level(start: datetime, zone: tzinfo) -> float:
    """What a price is about at that time of the day."""
    local = start.astimezone(zone)
    hour = local.hour + local.minute / 60
    noon, evening = max(0.0, 1 - abs(hour - 12.5) / 4), max(0.0, 1 - abs(hour - 19) / 3)
    return 35 - 48 * noon + 45 * evening


def seeded(*facts: object) -> random.Random:
    return random.Random("|".join(map(str, facts)))  # noqa: S311 - prices, not secrets


def begin_of(day: date, zone: tzinfo) -> datetime:
    """The instant at which a local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def starts(day: date, zone: tzinfo, length: timedelta = HOUR) -> list[datetime]:
    """The starts of a local day's intervals: those of 23, 24 or 25 hours."""
    begin, end = begin_of(day, zone), begin_of(day + timedelta(days=1), zone)
    return [begin + step * length for step in range(round((end - begin) / length))]


def zipped(name: str, content: bytes) -> bytes:
    """A ZIP with one file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, _OLD), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def lines(rows: Iterable[str], end: str = "\n") -> bytes:
    return "".join(row + end for row in rows).encode()
