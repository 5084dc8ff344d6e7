"""Queue `project`: latest prices, the ledger, and the word to the bridge that a range has landed."""

import logging
import time
from typing import Any

import polars as pl

from db.clickhouse.latest import latest_all
from db.postgres.ledger import LandedRange, append_ledger
from db.redis import claims, generation
from db.redis.latest import write_latest
from workers.app import task
from workers.codec import frame_from_bytes
from workers.context import Context, current
from workers.header import BatchHeader, from_json
from workers.queues import LANDED, REBUILD
from workers.tasks.base import landed as report

log = logging.getLogger(__name__)


@task(LANDED)
def landed(batches: list[dict[str, Any]], claim: str | None) -> None:
    """The batches of one pass: latest, then ledger, then acks, in this order."""
    context, headers = current(), [from_json(each) for each in batches]
    started = time.monotonic()
    if claim is not None:
        blob = claims.get(context.redis, claim)
        if blob is None:
            log.info("claim is gone, left to the repeat", extra={"stage": "project", "batches": len(headers)})
            context.metrics.count("task_failures", task="project.gone")
            return
        _offer(context, frame_from_bytes(blob))
    context.runner.wait(append_ledger(context.postgres, [_range(header) for header in headers]))
    for header in headers:
        report(context, header)
    if claim is not None:
        claims.drop(context.redis, claim)
    context.metrics.observe("task_seconds", time.monotonic() - started, task="project")


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
    written = write_latest(context.redis, candidates)
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
