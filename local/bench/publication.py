"""One publication of CAISO through the running pipeline: from produce until all of it can be queried."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from redis import Redis

from db.clickhouse.client import connect
from db.clickhouse.frames import fetch
from db.clickhouse.query import Query, instant
from db.kafka import envelopes
from db.kafka.producer import ConfirmedProducer
from db.redis import generation, landed
from db.redis.client import connect as connect_redis
from local import overview
from local.bench import caiso
from local.bench.caiso import Size
from local.documents.caiso import DAM, RTM, Report
from pipeline import members
from pipeline.errors import DataProcessingError
from service.settings import Lane, Settings

TENANT: Final = "public"
_PATIENCE_S: Final = 180.0
_LOOK_S: Final = 0.02  # at the landed log: often enough, and no load beside what is measured
_COUNT_S: Final = 0.08  # at the bars: to count them takes 15 ms of both processors, which are those that make them
_LAG_LOOK_S: Final = 0.1
_FINEST: Final = {DAM: "1h", RTM: "5m"}
_OF: Final = (
    "product = {product:String} AND start >= {low:DateTime64(6, 'UTC')} AND start < {high:DateTime64(6, 'UTC')}"
)
_TICKS: Final = f"SELECT count() AS n FROM ticks FINAL WHERE {_OF}"  # noqa: S608 - of constants
_BARS: Final = """
    SELECT sum(count) AS n FROM bars FINAL WHERE `interval` = {interval:String}
    AND startsWith(instrument, {prefix:String})
    AND start >= {low:DateTime64(6, 'UTC')} AND start < {high:DateTime64(6, 'UTC')}"""
_COARSEST: Final = "1d"  # is stored last


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds until everything could be queried, and what parsing alone took in this process."""

    seconds: float
    parse_seconds: float
    bytes: int
    prices: int


def document(report: Report, starts: Sequence[datetime], size: Size) -> bytes:
    """The document of a publication. A day-ahead one of all components is larger than a message may be: its prices
    alone are sent."""
    return caiso.document(report, starts, size, components=1 if report is DAM else 5)


def message(report: Report, starts: Sequence[datetime], content: bytes) -> bytes:
    """The raw message of a document."""
    return envelopes.document(content, caiso.name(report, starts), starts[0], TENANT, "bench", None, None)


class Publisher:
    """Sends publications of some nodes over connections that stand already, as a feed's do."""

    def __init__(self, settings: Settings, size: Size, say: Callable[[str], None]) -> None:
        self._settings, self._size, self._say = settings, size, say
        self._clickhouse = connect(settings.clickhouse)
        self._redis = connect_redis(settings.redis.url.get_secret_value())
        self._producer = ConfirmedProducer(settings.kafka.bootstrap, settings.kafka.message_max_bytes)

    def sent(self, report: Report, starts: Sequence[datetime], day: datetime) -> Outcome:
        """Sends one publication of a market day that begins at `day` and of which all before it is stored; waits until
        all of it can be queried, then until it has landed.

        Raises `DataProcessingError` if something of it is missing.
        """
        content = document(report, starts, self._size)
        prices, alone = parsed(content, caiso.name(report, starts))
        raw, before = message(report, starts, content), landed.newest(self._redis)
        began = time.monotonic()
        self._producer.send(self._settings.kafka.raw_topic, raw, b"bench")
        until_told(self._redis, before, (f"caiso.{caiso.product(report)}.",), self._size.nodes)
        self._until_stored(report, starts[-1], day)
        outcome = Outcome(time.monotonic() - began, alone, len(raw), prices)
        _require_all(self._settings, report, starts, self._size)
        self._say(f"{caiso.product(report)}: {outcome.seconds:.2f} s (parsing alone {alone:.2f} s)")
        until_landed(self._settings, "live")
        return outcome

    def _until_stored(self, report: Report, last: datetime, day: datetime) -> None:
        """Returns once the day's bar of every node holds every price up to the last; the finer ones do so before."""
        wanted = self._size.nodes * ((last + report.length - day) // report.length)
        span = {"low": instant(day), "high": instant(last)}
        given = {"interval": _COARSEST, "prefix": f"caiso.{caiso.product(report)}.", **span}
        until(lambda: fetch(self._clickhouse, Query(_BARS, given))["n"][0], wanted, _COUNT_S)

    def close(self) -> None:
        self._redis.close()
        self._clickhouse.close()


def parsed(content: bytes, name: str) -> tuple[int, float]:
    """How many prices there are, and the seconds that one process takes to read them."""
    began = time.monotonic()
    return members.read(content, name).ticks.height, time.monotonic() - began


def until_landed(settings: Settings, lane: Lane) -> None:
    """Waits until a lane's topic is committed to its end: nothing of it is under way any more."""
    deadline = time.monotonic() + _PATIENCE_S
    while any(each.waiting for each in overview.lags(settings.kafka, lane)):
        _wait(deadline, f"the lane {lane} to end", _LAG_LOOK_S)


def until_ready(settings: Settings) -> None:
    """Waits until the latest prices are in Redis: what the bridge has made again when it finds none."""
    redis = connect_redis(settings.redis.url.get_secret_value())
    deadline = time.monotonic() + _PATIENCE_S
    while generation.read(redis).state != "ready":
        _wait(deadline, "the latest prices", _LAG_LOOK_S)
    redis.close()


def until(count: Callable[[], int], wanted: int, look_s: float) -> None:
    """Returns once the bars hold so many prices."""
    deadline = time.monotonic() + _PATIENCE_S
    while count() != wanted:
        _wait(deadline, f"the bars of {wanted} prices", look_s)


def until_told(redis: Redis, position: str, prefixes: tuple[str, ...], nodes: int) -> None:
    """Returns once the landed log tells of a latest price of every node: ticks and finest bars are stored before."""
    told, deadline = 0, time.monotonic() + _PATIENCE_S
    while told < nodes:
        found = landed.read(redis, position)
        position = found.position
        changes = (change for entry in found.entries if entry.kind == "latest" for change in entry.changes)
        told += sum(change.instrument.startswith(prefixes) for change in changes)
        _wait(deadline, f"{nodes} latest prices, of which {told} are there", _LOOK_S)


def _wait(deadline: float, what: str, look_s: float) -> None:
    if time.monotonic() > deadline:
        raise DataProcessingError(f"{_PATIENCE_S:.0f} s were not enough for {what}", "cli")
    time.sleep(look_s)


def _require_all(settings: Settings, report: Report, starts: Sequence[datetime], size: Size) -> None:
    """Raises unless every price, and the finest bar that holds it, is found right now."""
    client, wanted, product = connect(settings.clickhouse), size.nodes * len(starts), caiso.product(report)
    span = {"low": instant(starts[0]), "high": instant(starts[-1] + report.length)}
    given = {"interval": _FINEST[report], "prefix": f"caiso.{product}.", "product": product, **span}
    found = {name: fetch(client, Query(sql, given))["n"][0] for name, sql in (("ticks", _TICKS), ("bars", _BARS))}
    client.close()
    if set(found.values()) != {wanted}:
        raise DataProcessingError(f"{wanted} prices should be there, there are {found}", "cli")
