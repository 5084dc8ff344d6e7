"""The demo's made-up messages: a day of CAISO documents and a few generic ticks. The same day gives the same bytes."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from db.kafka import envelopes
from local import oasis
from local.oasis import Price, Report

TENANT: Final = "public"
SOURCE: Final = "demo.feed"
HUBS: Final = (
    "TH_NP15_GEN-APND",
    "TH_SP15_GEN-APND",
    "TH_ZP26_GEN-APND",
    "DLAP_PGAE-APND",
    "DLAP_SCE-APND",
    "DLAP_SDGE-APND",
)
NODES: Final = HUBS + tuple(f"{name}_{number}_N001" for name, number in zip(
    ("ALDERPT", "BIRCHVL", "CEDARCK", "DRYLAKE", "ELKHORN", "FOXGLEN", "GOLDRIV", "HAZELTN", "IRONHIL", "JUNIPER",
     "KESTREL", "LARKSPR", "MESQITE", "NORTHFK"), range(1, 15), strict=True))  # fmt: skip
TICK_EVERY: Final = timedelta(seconds=5)
PACIFIC: Final = ZoneInfo("America/Los_Angeles")
_STEP: Final = timedelta(minutes=5)


class Stream(NamedTuple):
    """One instrument of generic ticks: prices around `level`, `spread` between bid and price; `calm`: no odd ones."""

    market: str
    instrument: str
    level: float
    noise: float = 0.04
    spread: float = 0.05
    calm: bool = False


STREAMS: Final = (
    Stream("demo_power", "DEMO_POWER_NP15", 42.0), Stream("demo_power", "DEMO_POWER_SP15", 38.0),
    Stream("demo_gas", "DEMO_GAS_CITYGATE", 3.4),
    Stream("henry_hub", "NG_HH_BALMO", 3.05, noise=0.008, spread=0.005, calm=True),
)  # fmt: skip


class Sending(NamedTuple):
    """One message and when it is to be sent."""

    at: datetime
    key: bytes
    value: bytes


def messages(day: date, since: datetime, until: datetime, every: timedelta = TICK_EVERY) -> Iterator[Sending]:
    """Everything that is sent in [since, until), in order of time.

    `every`: how often the generic ticks come, a multiple of `TICK_EVERY` that divides five minutes.
    The day-ahead prices of `day` and the day after come at the beginning of `day` (Pacific) and at 13:00.
    """
    begin = begin_of(day)
    at = since - (since - begin) % every
    while at < until:
        if at >= since:
            yield from _of(at, begin, day)
        at += every


def begin_of(day: date) -> datetime:
    """The instant at which a Pacific day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=PACIFIC).astimezone(UTC)


def _of(at: datetime, begin: datetime, day: date) -> Iterator[Sending]:
    if at == begin:
        yield _document(at, oasis.DAM, day, begin)
    if at == begin + timedelta(hours=13):
        tomorrow = day + timedelta(days=1)
        yield _document(at, oasis.DAM, tomorrow, begin_of(tomorrow))
    since = at - begin
    if since % timedelta(minutes=15) == timedelta(0):
        yield _document(at, oasis.RTPD, day, at)
    if since % _STEP == timedelta(0):
        yield from _five_minutes(at, day)
    yield from _ticks(at, int(since / TICK_EVERY))


def _five_minutes(at: datetime, day: date) -> Iterator[Sending]:
    """The run of now; at times the one before again, the same or corrected, or one that came late or broken."""
    yield _document(at, oasis.RTM, day, at)
    chance = _seeded("five", at)
    what = chance.random()
    if what < 0.05:
        yield _document(at, oasis.RTM, day, at - _STEP)  # a duplicate
    elif what < 0.10:
        yield _document(at, oasis.RTM, day, at - _STEP, correction=1)
    elif what < 0.12:
        yield _document(at, oasis.RTM, day, at - timedelta(hours=1), correction=2)  # late and corrected
    elif what < 0.14:
        yield _sending(at, "broken", oasis.refusal())


def _document(at: datetime, report: Report, day: date, start: datetime, correction: int = 0) -> Sending:
    prices = [
        Price(node, start + step * report.length, _price(report, node, start + step * report.length, correction))
        for step in range(report.intervals(day))
        for node in NODES
    ]
    name = report.name(start, start + report.intervals(day) * report.length, at)
    content = oasis.zipped(name, oasis.csv(report, prices))
    return _sending(at, report.market, content, f"{name}.zip")


def _price(report: Report, node: str, start: datetime, correction: int) -> float:
    """A day with cheap (and negative) noons, dear evenings, and now and then a spike."""
    hour = start.astimezone(PACIFIC).hour + start.minute / 60
    noon, evening = max(0.0, 1 - abs(hour - 12.5) / 4), max(0.0, 1 - abs(hour - 19) / 3)
    own = _seeded(report.market, node, start, correction)
    spike = 800 * own.random() if own.random() < 0.002 else 0.0
    return 35 - 48 * noon + 45 * evening + own.gauss(0, 4) + spike


def _ticks(at: datetime, number: int) -> Iterator[Sending]:
    for stream in STREAMS:
        own = _seeded(stream.instrument, at)
        price = round(stream.level * (1 + stream.noise * own.gauss(0, 1)), 4)
        late = timedelta(minutes=own.choice((2, 7))) if own.random() < 0.01 and not stream.calm else timedelta(0)
        if own.random() < 0.01 and not stream.calm:
            price = -price if stream.market == "demo_power" else round(price * 8, 4)
        yield _tick(at, stream, at - late, price, own.randrange(1, 400))
    if number % 360 == 300:  # one in half an hour that cannot be read
        yield _tick(at, STREAMS[0], at, "not a number", 1)


def _tick(at: datetime, stream: Stream, ts: datetime, price: float | str, volume: int) -> Sending:
    data: dict[str, Any] = {"timestamp": _text(ts), "price": price, "volume": volume}
    if isinstance(price, float):
        data |= {"bid": round(price - stream.spread, 4), "ask": round(price + stream.spread, 4)}
    payload = {"market": stream.market, "instrument_id": stream.instrument, "raw_data": data}
    return Sending(at, stream.instrument.encode(), envelopes.envelope(payload, at, TENANT, SOURCE))


def _sending(at: datetime, key: str, content: bytes, name: str = "broken.zip") -> Sending:
    value = envelopes.document(content, name, at, TENANT, SOURCE, "caiso", None)
    return Sending(at, f"caiso.{key}".encode(), value)


def _seeded(*facts: object) -> random.Random:
    return random.Random("|".join(map(str, facts)))  # noqa: S311 - prices, not secrets


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
