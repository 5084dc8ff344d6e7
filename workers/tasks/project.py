"""Queue `project`: latest prices, the ledger, and the word to the bridge that a range has landed."""

import logging
import time
from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import polars as pl

from db.clickhouse.latest import latest_all
from db.postgres.ledger import LandedRange, append_ledger
from db.redis import claims, generation
from workers import changes, outgoing, prices
from workers.app import task
from workers.context import Context, current
from workers.frames import frame_from_bytes
from workers.header import ENRICHED, BatchHeader, from_json, latest_of, states_of
from workers.queues import LANDED, LATEST, REBUILD
from workers.tasks.base import Gone, claimed, short, take
from workers.tasks.base import landed as report

log = logging.getLogger(__name__)

AT_ONCE: Final = 100_000  # ticks, before the bridge hears of them


@task(LATEST)
def latest(name: str) -> None:
    """The latest prices that follow from the pass of that name. Where this task is lost, `landed` does its work."""
    context = current()
    with _stage(context, "project.latest"):
        _offer_left(context, name, claims.get(context.redis, latest_of(name)))


@task(LANDED)
def landed(batches: list[dict[str, Any]], name: str | None) -> None:
    """The batches of one pass: its bars and prices told, then of some batches after the other outgoing ticks, the
    ledger, acks, in this order.

    `name` is the pass's; null for batches without any tick. It may run before `latest`, beside it, and twice.
    """
    context, headers = current(), [from_json(each) for each in batches]
    with _stage(context, "project"):
        if name is not None and not _told(context, name):
            return
        for some in _parts(headers):
            _land(context, some if name is None else _ticks_told(context, some))
        if name is not None:
            claims.drop(context.redis, states_of(name))


def _parts(headers: Sequence[BatchHeader]) -> Iterator[Sequence[BatchHeader]]:
    """Some batches at a time: what has landed stays so where the rest takes longer than a task may."""
    part: list[BatchHeader] = []
    for header in headers:
        part.append(header)
        if sum(each.ticks for each in part) >= AT_ONCE:
            yield part
            part = []
    yield part


def _land(context: Context, headers: Sequence[BatchHeader]) -> None:
    outgoing.confirm(context)
    changes.tell_ticks(context, headers)
    context.runner.wait(append_ledger(context.postgres, [_range(header) for header in headers]))
    for header in headers:
        report(context, header)
    if outgoing.wants_ticks(context):
        claims.drop(context.redis, *(header.claim(ENRICHED) for header in headers))


@contextmanager
def _stage(context: Context, name: str) -> Generator[None]:
    """Around one task. A server that is away: nothing has landed, and the bridge sends the batches again."""
    started = time.monotonic()
    try:
        yield
    except Exception as error:
        log.warning("stage failed, left to the repeat", extra={"stage": name, "cause": short(error)})
        context.metrics.count("task_failures", task=name)
        raise
    finally:
        context.metrics.observe("task_seconds", time.monotonic() - started, task=name)


def _told(context: Context, name: str) -> bool:
    """Tells which bars and prices a pass has changed; false where its claim checks are gone."""
    # Before the states, which expire first: where those are there and this is not, `latest` has offered it.
    left = claims.get(context.redis, latest_of(name))
    try:
        states = frame_from_bytes(claimed(context, states_of(name)))
    except Gone as gone:
        _left_to_the_repeat(context, gone)
        return False
    changes.tell(context, states)
    _offer_left(context, name, left)
    return True


def _ticks_told(context: Context, headers: Sequence[BatchHeader]) -> Sequence[BatchHeader]:
    """Writes the ticks of batches; gives those that were there. The others are gone, and land without them.

    A batch that was sent again may be in two passes: the one that lands first takes its ticks with it.
    """
    if not outgoing.wants_ticks(context):
        return headers
    told, joined = list[BatchHeader](), defaultdict[int, list[pl.DataFrame]](list)
    for header in headers:
        try:
            ticks = frame_from_bytes(take(context, header, ENRICHED))
        except Gone as gone:
            _left_to_the_repeat(context, gone)
        else:
            joined[header.reference].append(ticks)
            told.append(header)
    for reference, frames in joined.items():
        outgoing.send_ticks(context, pl.concat(frames), reference)
    return told


def _left_to_the_repeat(context: Context, gone: Gone) -> None:
    log.info("claim is gone, left to the repeat", extra={"stage": "project", "claim": str(gone)})
    context.metrics.count("task_failures", task="project.gone")


def _offer_left(context: Context, name: str, left: bytes | None) -> None:
    """Offers the latest prices of a pass, unless that was done: then there are none left."""
    if left is not None:
        prices.offer(context, frame_from_bytes(left))
        claims.drop(context.redis, latest_of(name))


@task(REBUILD)
def rebuild() -> None:
    """Writes the latest prices again from what is stored, after Redis lost them."""
    context = current()
    token = generation.begin(context.redis)
    if token is None:
        return
    written = prices.offer(context, latest_all(context.clickhouse))
    whole = generation.finish(context.redis, token)
    log.info("latest prices rebuilt", extra={"instruments": written, "whole": whole})


def _range(header: BatchHeader) -> LandedRange:
    return LandedRange(
        topic=header.topic,
        topic_id=header.topic_id,
        partition=header.partition,
        first_offset=header.first,
        next_offset=header.next,
        messages=header.messages,
        ticks=header.ticks,
        rejects=header.rejects,
        dead_letters=header.dead_letters,
        known_at_us=header.known_at_us,
        batch_id=header.batch_id,
    )
