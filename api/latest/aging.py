"""A latest price as JSON text, split at what depends on the present moment: its age and its status."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, Literal, NamedTuple

import msgspec
import polars as pl

from api import render, shapes
from api.ranges.local_time import TICK_INSTANTS, with_local
from pipeline import products
from pipeline.bars import INTERVALS
from service import clock

Status = Literal["live", "late", "stale"]
_MS: Final = 1000  # microseconds
_LONG_AGO: Final = -(2**62)
FOR_EVER: Final = 2**62
NEVER: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""No price is live, or late, so long."""


class Row(NamedTuple):
    """`before` is the JSON object up to the number of seconds since `start_us`. Instants are microseconds since 1970.

    The price is `stale` before `counts_us`, `live` from then on until `live_us`, `late` until `late_us`.
    """

    before: bytes
    start_us: int
    counts_us: int
    live_us: int
    late_us: int
    cadence: float | None

    def status(self, now_us: int) -> tuple[Status, int]:
        """Its status, and when that ends."""
        if now_us < self.counts_us:
            return "stale", self.counts_us
        if now_us < self.live_us:
            return "live", self.live_us
        return ("late", self.late_us) if now_us < self.late_us else ("stale", FOR_EVER)


class Aged(NamedTuple):
    """Rows as they are shown at any instant in [since_us, until_us), but for their ages."""

    pieces: list[bytes]  # before, age, after; before, age, after; …
    starts_us: list[int]
    since_us: int
    until_us: int

    def holds(self, now_us: int) -> bool:
        return self.since_us <= now_us < self.until_us

    def text(self, now_us: int) -> bytes:
        """The JSON objects, joined by commas."""
        self.pieces[1::3] = _ages(self.starts_us, now_us)
        return b"".join(self.pieces)


def aged(rows: Sequence[Row], now_us: int, until_us: int = FOR_EVER) -> Aged:
    """The rows with what their status is at an instant; what they are made of holds until `until_us`."""
    pieces = [b""] * (3 * len(rows))
    for at, row in enumerate(rows):
        status, ends_us = row.status(now_us)
        until_us = min(until_us, ends_us)
        pieces[3 * at], pieces[3 * at + 2] = row.before, _after(row.cadence, status)
    if rows:
        pieces[-1] = pieces[-1].removesuffix(b",")
    return Aged(pieces, [row.start_us for row in rows], now_us, until_us)


def rows(
    latest: pl.DataFrame, reference: pl.DataFrame, *, decimals_as_text: bool, timezone: str | None = None
) -> Iterator[Row]:
    """Latest ticks (`api.reads.ports.Reads.latest`), each as a row, with local times where a zone is asked for.

    Of a product that lies in the future by design the newest price tells whether prices come, else the shown one.
    The next price is due one step (its interval; what its product allows for a stream) after this one, moved
    by the product's `due`. One step beyond that a price is `late`, three steps beyond it is `stale`. So is one
    that lies further ahead than its product publishes: it says nothing about now.
    """
    shown = with_local(shapes.shown_ticks(latest, reference), reference, timezone, TICK_INSTANTS)
    shown = shown.with_columns(latest["mode"])
    starts = latest.select("market", "product", pl.col("start", "newest_start").dt.epoch("us"))
    lines = render.lines(shown, decimals_as_text=decimals_as_text)
    for line, (market, product, start_us, newest_us) in zip(lines, starts.iter_rows(), strict=True):
        pace = _pace(market, product)
        told_us = newest_us if pace.ahead_us is None else start_us
        counts_us = _LONG_AGO if pace.ahead_us is None else start_us - pace.ahead_us
        before = f'{line[:-1]},"age_seconds":'.encode()
        yield Row(before, start_us, counts_us, told_us + pace.live_us, told_us + pace.late_us, pace.cadence)


def text_at(
    latest: pl.DataFrame,
    reference: pl.DataFrame,
    at: datetime,
    *,
    decimals_as_text: bool,
    timezone: str | None = None,
) -> bytes:
    """Latest ticks of these instruments as they are shown at an instant: JSON objects, in their order."""
    who = reference.select("tenant", "instrument")
    ordered = who.join(latest, on=["tenant", "instrument"], maintain_order="left").select(latest.columns)
    now_us = clock.to_us(at)
    made = rows(ordered, reference, decimals_as_text=decimals_as_text, timezone=timezone)
    return aged(list(made), now_us).text(now_us)


def status_at(market: str, product: str, start_us: int, now_us: int) -> Status:
    """The status of a price that begins at an instant and is its product's newest."""
    return newest_row(market, product, start_us).status(now_us)[0]


def newest_row(market: str, product: str, start_us: int) -> Row:
    """A price that begins at an instant and is its product's newest, without its text."""
    pace = _pace(market, product)
    counts_us = _LONG_AGO if pace.ahead_us is None else start_us - pace.ahead_us
    return Row(b"", start_us, counts_us, start_us + pace.live_us, start_us + pace.late_us, pace.cadence)


class _Pace(NamedTuple):
    """How far ahead a price may lie (None: without a bound), and how long after its start it is live, late."""

    ahead_us: int | None
    live_us: int
    late_us: int
    cadence: float | None


@cache
def _pace(market: str, name: str) -> _Pace:
    product = products.product(market, name)
    native = INTERVALS[product.interval].seconds if product.interval else None
    step = timedelta(seconds=native) if native else product.lateness
    # One step ahead, for clocks differ; where prices bind before their start, so long before it.
    ahead = None if product.forward else _beyond(max(step, product.binding or step)) - 1
    cadence = None if product.cadence is None else product.cadence.total_seconds()
    return _Pace(ahead, _beyond(2 * step + product.due), _beyond(4 * step + product.due), cadence)


def _beyond(bound: timedelta) -> int:
    """The first microsecond in which a time, cut to milliseconds as ages are, is above a bound."""
    us = bound // timedelta(microseconds=1)
    return us + _MS if us >= 0 else us + 1


@cache
def _after(cadence: float | None, status: Status) -> bytes:
    known = "null" if cadence is None else str(cadence)
    return f',"cadence_seconds":{known},"status":"{status}"}},'.encode()


def _ages(starts_us: Sequence[int], now_us: int) -> list[bytes]:
    """Seconds since each start as JSON numbers, cut to milliseconds."""
    ages = [_cut(now_us - start) / 1000 for start in starts_us]
    return msgspec.json.encode(ages)[1:-1].split(b",") if ages else []


def _cut(us: int) -> int:
    return us // _MS if us >= 0 else -(-us // _MS)
