"""The newest interval of every public market and product, and how far intake is: what anybody may ask."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import msgspec
import polars as pl

from api.coverage import Instrument
from api.latest import aging
from api.reads.ports import Reads
from api.status.leaders import Leaders
from db.postgres.places import Message
from pipeline import coverage, products
from pipeline.schema import PUBLIC
from service import clock

BEHIND: Final = timedelta(seconds=60)
_LATELY: Final = timedelta(hours=1)
_PRODUCT: Final = ("market", "product")
_COUNTED: Final = ("live", "late", "stale")

Fields = dict[str, Any]


async def status(reads: Reads, leaders: Leaders) -> bytes:
    """The fields of `api.schemas.status.Status` that do not depend on when they are read, as the inside of a JSON
    object."""
    now = clock.now()
    known_until, stopped = await reads.known_until(), await reads.stopped()
    found = await leaders.find()
    latest = await reads.latest([PUBLIC], found["instrument"].to_list(), "newest", now)
    every = newest(latest).to_dicts()
    landed = await reads.landed_at([_message(row) for row in every])
    rows = {row["instrument"]: row for row in found.to_dicts()}
    shown = [_shown(Instrument(rows[row["instrument"]]), row, landed, now) for row in every]
    total, lately = await reads.dead_letters(now - _LATELY)
    waiting = {"queues": await reads.queued(), "dead_letters": {"total": total, "last_hour": lately}}
    counted = waiting | {"prices": _counts(shown), "products": shown}
    body = {"generated_at": now} | _intake(known_until, stopped, now) | counted
    return msgspec.json.encode(body)[1:-1]


def newest(latest: pl.DataFrame) -> pl.DataFrame:
    """Of each market and product the tick with the newest start; of several the one that was known first."""
    ordered = latest.sort([*_PRODUCT, "start", "known_at", "instrument"], descending=[False, False, True, False, False])
    return ordered.unique(_PRODUCT, keep="first", maintain_order=True)


def _intake(known_until: datetime, stopped: Sequence[str], now: datetime) -> Fields:
    """How far what is published has landed."""
    sure = clock.to_us(known_until) > 0
    behind = now - known_until if sure else None
    late = behind is not None and behind >= BEHIND
    reasons = [*stopped]
    if late:
        reasons.append(f"What was published after {known_until:%Y-%m-%dT%H:%M:%SZ} may not all have landed yet.")
    state = "stopped" if stopped else "behind" if late else "ok"
    seconds = None if behind is None else round(behind.total_seconds(), 3)
    return {
        "state": state,
        "reasons": reasons,
        "intake": {"landed_until": known_until if sure else None, "behind_seconds": seconds},
    }


def _counts(shown: Sequence[Fields]) -> dict[str, int]:
    return {name: sum(each["status"] == name for each in shown) for name in _COUNTED}


def _shown(one: Instrument, row: Fields, landed: Mapping[Message, datetime], now: datetime) -> Fields:
    """The fields of `api.schemas.status.ProductStatus`."""
    market, name, start = row["market"], row["product"], row["start"]
    told = aging.newest_row(market, name, clock.to_us(start))
    state, _ = told.status(clock.to_us(now))
    return {
        "market": market,
        "product": name,
        "instrument": row["instrument"],
        "interval_start": start,
        "interval_end": row["end"],
        "known_at": row["known_at"],
        "queryable_at": landed.get(_message(row)),
        "age_seconds": int((now - start) / timedelta(milliseconds=1)) / 1000,
        "status": state,
        "since": _since(state, told, row["known_at"], now),
        "next_expected_at": _next(market, name, one.name, one.zone, start, row["end"]),
    }


def _since(state: aging.Status, told: aging.Row, known_at: datetime, now: datetime) -> datetime:
    """Since when it is so: a price becomes late and stale when the next one lacks; live once it is known and no longer
    too far ahead."""
    if state == "live":
        return max(known_at, clock.from_us(max(told.counts_us, 0)))
    beyond = clock.from_us(told.live_us if state == "late" else told.late_us)
    return beyond if now >= beyond else known_at


@lru_cache(maxsize=1024)
def _next(
    market: str, product: str, instrument: str, zone: str, start: datetime, end: datetime | None
) -> datetime | None:
    return coverage.next_due(products.product(market, product), instrument, zone, start, end)


def _message(row: Mapping[str, Any]) -> Message:
    return Message(row["topic_id"], row["partition"], row["offset"])
