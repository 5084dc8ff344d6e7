"""Queue `enrich`: the reference of the day joined, instruments seen for the first time registered."""

from typing import Any

import msgspec
import polars as pl

from db.postgres.reference import register_instruments, register_names
from db.redis import claims
from pipeline.enrich import Enriched, enrich
from workers.app import app, task
from workers.context import Context, current
from workers.frames import frame_from_bytes, with_columns
from workers.header import ENRICHED, TICKS, from_json
from workers.queues import ENRICH, STORE, publish
from workers.tasks.base import in_hand, refusals, take


@task(ENRICH)
def batch(data: dict[str, Any]) -> None:
    """One batch of ticks."""
    context, header = current(), from_json(data)
    with in_hand(context, header, "enrich"):
        blob = take(context, header, TICKS)
        ticks = frame_from_bytes(blob)
        with refusals("enrich"):
            enriched = enrich(ticks, context.reference(), context.snapshot().tables, context.day)
        register(context, ticks, enriched)
        claims.put(context.redis, header.claim(ENRICHED), with_columns(blob, enriched.ticks.drop(ticks.columns)))
        known = msgspec.structs.replace(header, reference=context.reference_version)
        publish(app, STORE, known.to_json())
        claims.drop(context.redis, header.claim(TICKS))


def register(context: Context, ticks: pl.DataFrame, enriched: Enriched) -> None:
    """Adds instruments that the reference lacks, first seen when their first tick became known, and their names."""
    if not enriched.unseen.is_empty():
        first_seen = ticks.group_by("tenant", "instrument").agg(first_seen=pl.col("known_at").min())
        rows = enriched.unseen.join(first_seen, on=["tenant", "instrument"])
        added = context.runner.wait(register_instruments(context.postgres, rows))
        context.metrics.count("instruments_registered", added)
    context.runner.wait(register_names(context.postgres, enriched.named))
