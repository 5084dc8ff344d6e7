"""Queue `enrich`: the reference of the day joined, instruments seen for the first time registered, the ticks stored."""

from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl

from db.postgres.reference import register_instruments, register_names
from db.redis import claims
from pipeline.enrich import Enriched, enrich
from workers import outgoing
from workers.app import task
from workers.context import Context, current
from workers.frames import frame_from_bytes, frame_to_bytes, with_columns
from workers.header import ENRICHED, TICKS, BatchHeader, from_json
from workers.queues import ENRICH
from workers.tasks.base import DataError, in_hand, refusals, take
from workers.tasks.storing import Ticks, store


@task(ENRICH)
def batch(data: dict[str, Any]) -> None:
    """One batch of ticks."""
    context, header = current(), from_json(data)
    with in_hand(context, [header], "enrich"):
        blob = take(context, header, TICKS)
        ticks = frame_from_bytes(blob)
        joined = _joined(context, ticks)
        if outgoing.wants_ticks(context):
            claims.put(context.redis, header.claim(ENRICHED), with_columns(blob, joined.drop(ticks.columns)))
        store(context, [_known(context, header, joined)])
        claims.drop(context.redis, header.claim(TICKS))


def join(context: Context, batches: Sequence[Ticks]) -> None:
    """Some batches of few ticks, together; where that cannot be done, each alone."""
    if not batches:
        return
    try:
        with in_hand(context, [each.header for each in batches], "enrich"):
            _together(context, batches)
    except DataError:
        if len(batches) == 1:
            raise
        _each(context, batches)


def _each(context: Context, batches: Sequence[Ticks]) -> None:
    failures = list[DataError]()
    for each in batches:
        try:
            join(context, [each])
        except DataError as error:  # the bridge has been told
            failures.append(error)
    if failures:
        raise failures[0]


def _together(context: Context, batches: Sequence[Ticks]) -> None:
    joined, parts, at = _joined(context, pl.concat([each.ticks for each in batches])), list[Ticks](), 0
    for header, ticks in batches:
        parts.append(_known(context, header, joined.slice(at, ticks.height)))
        at += ticks.height
    if outgoing.wants_ticks(context):
        for header, ticks in parts:
            claims.put(context.redis, header.claim(ENRICHED), frame_to_bytes(ticks))
    store(context, parts)


def _known(context: Context, header: BatchHeader, ticks: pl.DataFrame) -> Ticks:
    return Ticks(msgspec.structs.replace(header, reference=context.reference_version), ticks)


def _joined(context: Context, ticks: pl.DataFrame) -> pl.DataFrame:
    with refusals("enrich"):
        enriched = enrich(ticks, context.reference(), context.snapshot().tables, context.day)
    register(context, ticks, enriched)
    return enriched.ticks


def register(context: Context, ticks: pl.DataFrame, enriched: Enriched) -> None:
    """Adds instruments that the reference lacks, first seen when their first tick became known, and their names."""
    if not enriched.unseen.is_empty():
        first_seen = ticks.group_by("tenant", "instrument").agg(first_seen=pl.col("known_at").min())
        rows = enriched.unseen.join(first_seen, on=["tenant", "instrument"])
        added = context.runner.wait(register_instruments(context.postgres, rows))
        context.metrics.count("instruments_registered", added)
    context.runner.wait(register_names(context.postgres, enriched.named))
