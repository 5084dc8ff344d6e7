"""Queue `aggregate`: the bars of the buckets that stored batches touched, computed again."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import msgspec
import polars as pl

from db.clickhouse.bars import run_pass as recompute
from db.redis import claims
from pipeline.bars import count, halves, united
from service import clock
from service.settings import Lane
from workers import curves, history, spreads
from workers.app import app, task
from workers.context import Context, current
from workers.frames import frame_from_bytes, frame_to_bytes
from workers.header import BatchHeader, from_json, latest_of, states_of
from workers.queues import LANDED, LATEST, PASS, publish
from workers.tasks.base import DataError, refuse
from workers.tasks.faults import engine_refusals

log = logging.getLogger(__name__)

# Of one pass, so that it ends well within a task's time: a batch more is taken while these are not reached.
MOST_BATCHES: Final = 64
MOST_BUCKETS: Final = 200_000
MOST_PAUSE_S: Final = 4.0
# At the least, while batches are on their way; and where others were gathered while a pass ran.
GATHER_S: Final[Mapping[Lane, float]] = {"live": 0.1, "backfill": 10.0}
GATHERED_S: Final[Mapping[Lane, float]] = {"live": 0.0, "backfill": 10.0}
REST: Final = 3.0  # under load a pass is followed by a pause of so many times its own length
FEW_BUCKETS: Final = 10_000  # of a pass: live prices as they trickle in, whose bars do not wait


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch whose publications are stored, with the buckets it touched."""

    header: BatchHeader
    touched: pl.DataFrame


def schedule(context: Context, least: Mapping[Lane, float] = GATHER_S) -> None:
    """Makes sure that a pass is on its way: at once when nothing else is coming, after the pause under load."""
    at_once = context.passes.is_idle(clock.now_us())
    if context.passes.acquire_turn():
        gather_s = max(least[context.settings.core.lane], context.passes.pause_left())
        publish(app, PASS, after_s=0.0 if at_once else gather_s)
    elif at_once:  # the one that waits out its pause will find what comes later, or nothing
        publish(app, PASS)


@task(PASS)
def run_pass() -> None:
    """Recomputes the bars of every batch that waits, and hands exactly those batches on."""
    context = current()
    waiting = _taken(context)  # before any SELECT starts: all of their inserts have returned
    started = time.monotonic()
    try:
        for batches, name in passed(context, waiting):
            publish(app, LANDED, [each.header.to_json() for each in batches], name)
        for name, marks in history.undone(context, spreads.plan(context)).items():
            publish(app, name, marks, after_s=history.SEEN_BY_ALL_S)
    finally:
        took = time.monotonic() - started
        context.metrics.observe("task_seconds", took, task="aggregate.run_pass")
        log.info("pass", extra={"batches": len(waiting), "seconds": round(took, 3)})
        _next_turn(context, took if _are_many(waiting) else 0.0)


def _taken(context: Context) -> list[Stored]:
    taken, buckets = list[Stored](), 0
    while len(taken) < MOST_BATCHES and buckets < MOST_BUCKETS:
        entry = context.passes.take()
        if entry is None:
            break
        taken.append(_read(entry))
        buckets += count(taken[-1].touched)
    return taken


def _are_many(batches: Sequence[Stored]) -> bool:
    return bool(batches) and count(pl.concat([each.touched for each in batches])) > FEW_BUCKETS


def _next_turn(context: Context, took: float) -> None:
    left = context.passes.waiting()
    context.passes.set_pace(min(MOST_PAUSE_S, REST * took) if left else 0.0)
    context.passes.release_turn()
    # Looked at again after the release: a batch stored in between found the turn taken.
    if context.passes.waiting():
        schedule(context, GATHERED_S)


def passed(context: Context, batches: Sequence[Stored]) -> Iterator[tuple[Sequence[Stored], str]]:
    """Passes the batches together, under a name; where that fails, halves, so that one poisoned bucket blocks no other.

    A batch that fails alone has its other buckets computed all the same (they come without a batch), and is refused.
    """
    if not batches:
        return
    try:
        yield batches, make(context, united([each.touched for each in batches]))
    except DataError as error:
        if len(batches) > 1:
            middle = len(batches) // 2
            yield from passed(context, batches[:middle])
            yield from passed(context, batches[middle:])
            return
        yield from (((), name) for name in _passed_around(context, batches[0].touched))
        refuse(context, batches[0].header, str(error))


def _passed_around(context: Context, buckets: pl.DataFrame) -> Iterator[str]:
    """Computes every bucket that can be computed, by halving."""
    first, second = halves(buckets)
    for part in (first, second) if first.height else ():  # a single bucket cannot be computed
        try:
            yield make(context, part)
        except DataError:
            yield from _passed_around(context, part)


def make(context: Context, buckets: pl.DataFrame) -> str:
    """One pass; its name. Its latest prices are on their way before its coarser bars are made: others wait for them."""
    name = uuid4().hex

    def offer(latest: pl.DataFrame) -> None:
        # Not to expire before the states do: where those are there and these are not, they were offered.
        claims.put(context.redis, latest_of(name), frame_to_bytes(latest), ttl_s=2 * claims.TTL_S)
        publish(app, LATEST, name)

    with engine_refusals("aggregate"):
        states = recompute(context.clickhouse, spreads.with_spreads(context, spreads.plan(context), buckets), offer)
        curves.made(context, buckets)
    claims.put(context.redis, states_of(name), frame_to_bytes(states))
    return name


def _read(entry: bytes) -> Stored:
    header, buckets = msgspec.msgpack.decode(entry)
    return Stored(from_json(header), frame_from_bytes(buckets))
