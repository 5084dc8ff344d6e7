"""The outgoing topics, each where it is switched on: written, and confirmed, before a batch is reported landed."""

from collections.abc import Callable
from typing import Final

import polars as pl

from db.kafka.topics import outgoing
from pipeline import events
from pipeline.events import Kind
from workers.context import Context

AT_ONCE: Final = 50_000  # rows: a document may hold hundreds of thousands, and each becomes some 600 bytes of text


def wants_ticks(context: Context) -> bool:
    """Some topic takes ticks: they are kept until their batch lands."""
    return not outgoing(context.settings.kafka).keys().isdisjoint({"normalized", "enriched"})


def send_ticks(context: Context, ticks: pl.DataFrame, reference_version: int) -> None:
    """Writes the ticks of a batch (`pipeline.enrich.Enriched.ticks`) to the topics that take them."""
    _send(context, "normalized", ticks, events.normalized)
    _send(context, "enriched", ticks, lambda some: events.enriched(some, reference_version))


def send_bars(context: Context, bars: pl.DataFrame) -> None:
    """Writes bars (`db.clickhouse.changes.untold`)."""
    _send(context, "bar", bars, events.bars)


def send_curves(context: Context, events: pl.DataFrame) -> None:
    """Writes the events of curves (`pipeline.curve_events.curves`)."""
    _send(context, "curve", events.select("key", "value"), lambda some: some)


def confirm(context: Context) -> None:
    """Returns when all that was sent is on all replicas; raises `DataProcessingError` where it is not."""
    if outgoing(context.settings.kafka):
        context.events.flush()


def _send(context: Context, kind: Kind, rows: pl.DataFrame, made: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    topic = _topic(context, kind)
    if not topic:
        return
    for some in rows.iter_slices(AT_ONCE):
        found = made(some)
        context.events.send(topic, found.iter_rows())
        context.metrics.count("events_written", found.height, topic=topic)


def _topic(context: Context, kind: Kind) -> str | None:
    return outgoing(context.settings.kafka).get(kind)
