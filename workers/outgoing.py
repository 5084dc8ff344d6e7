"""The outgoing topics, each where it is switched on: written, and confirmed, before a batch is reported landed."""

from collections.abc import Callable

import polars as pl

from db.clickhouse.changes import contents
from db.kafka.topics import outgoing
from pipeline import events
from pipeline.events import Kind
from workers.context import Context


def wants_ticks(context: Context) -> bool:
    """Some topic takes ticks: they are kept until their batch lands."""
    return not outgoing(context.settings.kafka).keys().isdisjoint({"normalized", "enriched"})


def send_ticks(context: Context, ticks: pl.DataFrame, reference_version: int) -> None:
    """Writes the ticks of a batch (`pipeline.enrich.Enriched.ticks`) to the topics that take them."""
    _send(context, "normalized", lambda: events.normalized(ticks))
    _send(context, "enriched", lambda: events.enriched(ticks, reference_version))


def send_bars(context: Context, which: pl.DataFrame) -> None:
    """Writes bars (`db.clickhouse.changes.STATE`) as they are now."""
    if not which.is_empty():
        _send(context, "bar", lambda: events.bars(contents(context.clickhouse, which)))


def confirm(context: Context) -> None:
    """Returns when all that was sent is on all replicas; raises `DataProcessingError` where it is not."""
    if outgoing(context.settings.kafka):
        context.events.flush()


def _send(context: Context, kind: Kind, made: Callable[[], pl.DataFrame]) -> None:
    if topic := _topic(context, kind):
        found = made()
        context.events.send(topic, found.iter_rows())
        context.metrics.count("events_written", found.height, topic=topic)


def _topic(context: Context, kind: Kind) -> str | None:
    return outgoing(context.settings.kafka).get(kind)
