"""What the readings of all markets share: the row that is compared, exact numbers, the clock of a zone."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from operator import itemgetter
from pathlib import Path
from zoneinfo import ZoneInfo

Row = dict[str, object]
Reader = Callable[[Path, str], Iterable[Row]]  # (document, its product) to the prices of all its rows

COLUMNS = (
    *("market", "product", "location", "location_type", "instrument", "ts", "start", "end"),
    *("price", "energy", "congestion", "loss", "ghg", "volume", "version"),
)
IDENTITY = ("instrument", "ts", "version")

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_MISSING = ("", "-", "nan", "n/a")


def price_row(
    place: tuple[str, str, str], start: datetime, length: timedelta | None, price: Decimal, **others: object
) -> Row:
    """A price of `place` (market, product, location) from `start` (UTC) on; a null `length` leaves the end open.

    `others` replace what else a row has: it has no components, no volume, and the version 0.
    """
    absent = dict.fromkeys(("location_type", "energy", "congestion", "loss", "ghg", "volume"))
    named = dict(zip(("market", "product", "location"), place, strict=True))
    end = None if length is None else start + length
    when = {"ts": start, "start": start, "end": end}
    return {**absent, **named, "instrument": ".".join(place), **when, "price": price, "version": 0, **others}


def distinct(rows: Iterable[Row]) -> Iterator[tuple[object, ...]]:
    """The rows as tuples of COLUMNS; what a document says again it says once."""
    return iter(dict.fromkeys(map(itemgetter(*COLUMNS), rows)))


def number(text: str | None) -> Decimal | None:
    """The exact value of a cell; null where it says that there is none."""
    bare = (text or "").strip()
    return None if bare.lower() in _MISSING else Decimal(bare)


def total(*parts: Decimal | None) -> Decimal | None:
    """The sum, null where a part is missing."""
    there = [part for part in parts if part is not None]
    return sum(there, Decimal(0)) if len(there) == len(parts) else None


def minus(value: Decimal | None) -> Decimal | None:
    """The value with the other sign."""
    return None if value is None else -value


@cache
def utc(local: datetime, zone: ZoneInfo, *, second: bool = False) -> datetime:
    """The instant of a zone's naive time; `second`: the one after the clock went back. Raises for a skipped time."""
    instant = local.replace(tzinfo=zone, fold=int(second)).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError(f"{local} is no time of {zone}")
    return instant


def twice(local: datetime, zone: ZoneInfo) -> bool:
    """The clock shows this time twice."""
    return utc(local, zone) != utc(local, zone, second=True)


@cache
def stamp(text: str, *forms: str) -> datetime:
    """The naive time that the text gives in one of the `forms`."""
    for form in forms:
        try:
            return datetime.strptime(text.strip(), form)  # noqa: DTZ007 - exchanges write no zone
        except ValueError:
            continue
    raise ValueError(f"{text!r} is in none of the forms {forms}")


def lines(text: str, header: str) -> Iterator[dict[str, str]]:
    """The data rows, by column, below the first line that begins with `header`."""
    every = text.splitlines()
    at = next(number for number, line in enumerate(every) if line.replace('"', "").startswith(header))
    return csv.DictReader(every[at:])


def one_of(names: Sequence[str], row: dict[str, str]) -> str:
    """The one of the `names` that the row has a column of."""
    (found,) = [name for name in names if name in row]
    return found
