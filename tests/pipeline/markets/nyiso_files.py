"""Made-up files in the formats of NYISO, what is read of them, and the labels of a local day."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline import members
from pipeline.members import Reading

NEW_YORK = ZoneInfo("America/New_York")
HEADER = (
    '"Time Stamp","Name","PTID","LBMP ($/MWHr)","Marginal Cost Losses ($/MWHr)","Marginal Cost Congestion ($/MWHr)"'
)
DAY_AHEAD, HOURS, DAY = "20240601damlbmp_zone.csv", "20240601rtlbmp_gen.csv", "20240601realtime_zone.csv"
HOUR, QUARTER, FIVE = timedelta(hours=1), timedelta(minutes=15), timedelta(minutes=5)
ZONES = {"CAPITL": 61757, "HUD VL": 61758, "N.Y.C.": 61761}
AMOUNTS = ("30.25", "1.50", "-2.75")


def row(stamp: str, name: str = "N.Y.C.", amounts: Sequence[str] = AMOUNTS, ptid: int | str | None = None) -> str:
    """One price: LBMP, losses, congestion in NYISO's sign."""
    return f'"{stamp}","{name}",{ZONES.get(name, 23512) if ptid is None else ptid},{",".join(amounts)}'


def file(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *rows, "")).encode()


def stamps(*times: str, day: str = "06/01/2024", names: Iterable[str] = ("CAPITL", "N.Y.C.")) -> list[str]:
    """Rows of a real-time file: a block of names for each time."""
    return [
        row(f"{day} {time}:00" if time.count(":") == 1 else f"{day} {time}", name) for time in times for name in names
    ]


def label(instant: datetime, form: str = "%m/%d/%Y %H:%M:%S") -> str:
    """What the clock in New York shows."""
    return instant.astimezone(NEW_YORK).strftime(form)


def bounds(day: date) -> tuple[datetime, datetime]:
    """The local day in UTC."""
    first, last = (
        datetime(each.year, each.month, each.day, tzinfo=NEW_YORK).astimezone(UTC)
        for each in (day, day + timedelta(days=1))
    )
    return first, last


def steps(day: date, step: timedelta) -> list[datetime]:
    """The instants of a local day that begin a step."""
    first, last = bounds(day)
    return [first + step * n for n in range((last - first) // step)]


def clock_changes(first: int, last: int) -> list[date]:
    """The days of those years, both included, that have no 24 hours."""
    days = [date(first, 1, 1) + timedelta(days=n) for n in range((date(last + 1, 1, 1) - date(first, 1, 1)).days)]
    return [day for day in days if bounds(day)[1] - bounds(day)[0] != timedelta(days=1)]


def export(market: str, kind: str = "Zonal", rows: tuple[str, ...] = (), stamp: str | None = None) -> bytes:
    """A custom export: every cell quoted."""
    first = stamp or (f"{market} End Time Stamp" if market in ("RTD", "RTC") else "Eastern Date Hour")
    zone = [] if market in ("RTD", "RTC") else [f"{first} Time Zone"]
    who = "Zone" if kind == "Zonal" else "Gen"
    values = [f"{market} {kind} {value}" for value in ("LBMP", "Losses", "Congestion", "Price Version")]
    lines = [",".join([first, *zone, f"{who} Name", f"{who} PTID", *values]), *rows]
    return "".join(",".join(f'"{cell}"' for cell in line.split(",")) + "\r\n" for line in lines).encode()


def parse(content: bytes, name: str = DAY, product: str | None = None, market: str | None = None) -> Reading:
    read = members.read(content, name, market, product)
    if read.refused:
        raise read.refused[0][1]
    return read


def minutes(read: Reading, name: str = "N.Y.C.") -> list[tuple[str, str, str]]:
    """Product, start and end of one location's prices, as the clock in New York shows them."""
    rows = read.ticks.filter(location=name).select("product", "start", "end").rows()
    return [(product, label(start, "%H:%M:%S"), label(end, "%H:%M:%S")) for product, start, end in rows]


def problems(read: Reading) -> list[tuple[int, str, str]]:
    return read.rejects.select("row", "field", "value").rows()
