"""Queue `project`: latest prices, the ledger, and the word to the bridge that a range has landed."""

import logging
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import polars as pl

from db.clickhouse.latest import latest_all
from db.postgres.ledger import LandedRange, append_ledger
from db.redis import claims, generation
from db.redis.latest import write_latest
from workers import changes, outgoing
from workers.app import task
from workers.codec import frame_from_bytes
from workers.context import Context, current
from workers.header import ENRICHED, BatchHeader, from_json, latest_of, states_of
from workers.queues import LANDED, LATEST, REBUILD
from workers.tasks.base import Gone, claimed, take
from workers.tasks.base import landed as report

log = logging.getLogger(__name__)


@task(LATEST)
def latest(name: str) -> None:
    """The latest prices that follow from the pass of that name. Where this task is lost, `landed` does its work."""
    context = current()
    with _timed(context, "project.latest"):
        _offer_once(context, name)


@task(LANDED)
def landed(batches: list[dict[str, Any]], name: str | None) -> None:
    """The batches of one pass: outgoing events, the landed log, latest prices, the ledger, acks, in this order.

    `name` is the pass's; null for batches without any tick.
    """
    context, headers = current(), [from_json(each) for each in batches]
    with _timed(context, "project"):
        try:
            if name is not None:
                _told(context, headers, name)
            context.runner.wait(append_ledger(context.postgres, [_range(header) for header in headers]))
            for header in headers:
                report(context, header)
        except Gone as gone:
            log.info("claim is gone, left to the repeat", extra={"stage": "project", "claim": str(gone)})
            context.metrics.count("task_failures", task="project.gone")
        else:
            claims.drop(context.redis, *_claims(context, headers, name))


@contextmanager
def _timed(context: Context, name: str) -> Generator[None]:
    started = time.monotonic()
    try:
        yield
    finally:
        context.metrics.observe("task_seconds", time.monotonic() - started, task=name)


def _told(context: Context, headers: Sequence[BatchHeader], name: str) -> None:
    """Everything that others learn of a pass. Raises `Gone`."""
    states = frame_from_bytes(claimed(context, states_of(name)))
    if outgoing.wants_ticks(context):
        for header in headers:
            outgoing.send_ticks(context, frame_from_bytes(take(context, header, ENRICHED)), header.reference)
    changes.tell(context, states)
    _offer_once(context, name)


def _offer_once(context: Context, name: str) -> None:
    """Offers the latest prices of a pass, unless that was done: then their claim check is not there any more."""
    blob = claims.get(context.redis, latest_of(name))
    if blob is not None:
        _offer(context, frame_from_bytes(blob))
        claims.drop(context.redis, latest_of(name))


def _claims(context: Context, headers: Sequence[BatchHeader], name: str | None) -> Iterator[str]:
    """What is not needed any more."""
    if name is not None:
        yield states_of(name)
    if outgoing.wants_ticks(context):
        yield from (header.claim(ENRICHED) for header in headers)


@task(REBUILD)
def rebuild() -> None:
    """Writes the latest prices again from what is stored, after Redis lost them."""
    context = current()
    token = generation.begin(context.redis)
    if token is None:
        return
    written = _offer(context, latest_all(context.clickhouse))
    whole = generation.finish(context.redis, token)
    log.info("latest prices rebuilt", extra={"instruments": written, "whole": whole})


def _offer(context: Context, candidates: pl.DataFrame) -> int:
    written = write_latest(context.redis, candidates, changes.bounds_of(context))
    context.metrics.count("latest_written", written.changed + written.unchanged)
    return written.changed + written.unchanged


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
