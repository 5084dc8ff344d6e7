"""The demo's made-up messages: a day of all markets' documents and a few generic ticks. The same day gives the same
bytes."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from db.kafka import envelopes
from local import demo_markets
from local.demo_markets import PACIFIC, Sent
from local.documents.prices import begin_of, seeded, starts

TENANT: Final = "public"
SOURCE: Final = "demo.feed"
TICK_EVERY: Final = timedelta(seconds=5)
_HOURS: Final = 24
_WHILE: Final = timedelta(days=7)


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

# What anybody may have without a key while the demo runs: hubs of each market that has one, and the streams.
SHOWN: Final = (
    *(stream.instrument for stream in STREAMS), "caiso.rt_5min.TH_NP15_GEN-APND", "caiso.rt_5min.TH_SP15_GEN-APND",
    "ercot.rt_sced.HB_HOUSTON", "ercot.rt_sced.HB_WEST", "henry_hub.futures.NG01",
)  # fmt: skip


class Sending(NamedTuple):
    """One message and when it is to be sent."""

    at: datetime
    key: bytes
    value: bytes


def messages(day: date, since: datetime, until: datetime, every: timedelta = TICK_EVERY) -> Iterator[Sending]:
    """Everything that is sent in [since, until), in order of time.

    `every`: how often the generic ticks come, a multiple of `TICK_EVERY` that divides five minutes.
    The day-ahead prices of `day` come as it begins (Pacific), those of the day after when each market has them.
    """
    begin = begin_of(day, PACIFIC)
    at = since - (since - begin) % every
    while at < until:
        if at >= since:
            yield from _of(at, begin, day)
        at += every


def _of(at: datetime, begin: datetime, day: date) -> Iterator[Sending]:
    for sent in demo_markets.documents(at, begin, day):
        yield _document(at, sent)
    yield from _ticks(at, int((at - begin) / TICK_EVERY))


def daylight(day: date, at: datetime) -> Iterator[Sending]:
    """The hours of the last day on which clocks were set, of every market: 23 or 25, and 24 in MISO's."""
    for sent in demo_markets.of_day(clock_change(day)):
        yield _document(at, sent)


def gas(day: date, at: datetime) -> Iterator[Sending]:
    """What was settled at Henry Hub before a day, and spot prices since a while before the clocks were set."""
    for sent in demo_markets.gas_before(day, clock_change(day) - _WHILE):
        yield _document(at, sent)


def clock_change(day: date) -> date:
    """The last day before `day` on which the clocks of the markets were set."""
    day -= timedelta(days=1)
    while len(starts(day, PACIFIC)) == _HOURS:
        day -= timedelta(days=1)
    return day


def _ticks(at: datetime, number: int) -> Iterator[Sending]:
    for stream in STREAMS:
        own = seeded(stream.instrument, at)
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


def _document(at: datetime, sent: Sent) -> Sending:
    value = envelopes.document(sent.content, sent.name, at, TENANT, SOURCE, sent.market, None)
    return Sending(at, f"{sent.market}.{sent.kind}".encode(), value)


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
