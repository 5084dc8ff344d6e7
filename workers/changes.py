"""What a pass changed, told in the landed log once its prices can be read."""

from collections.abc import Iterable, Iterator
from typing import Final

import polars as pl

from db.clickhouse import changes
from db.redis import telling
from db.redis.contents import encoded
from db.redis.landed import Bounds, Change
from db.redis.telling import Told, ordered
from workers import outgoing
from workers.context import Context
from workers.header import BatchHeader

AT_ONCE: Final = 50_000  # bars, of some 600 bytes each


def bounds_of(context: Context) -> Bounds:
    """How much of the landed log is kept."""
    return Bounds(context.settings.landed.keep_s, context.settings.landed.keep_entries)


def tell(context: Context, states: pl.DataFrame) -> None:
    """Tells other consumers which of these bars (`db.clickhouse.changes.STATE`) are not as they were told before.

    First the outgoing topic, then the log, then what was told is remembered: a crash in between tells it again.
    """
    for some in states.iter_slices(AT_ONCE):
        bars = changes.untold(context.clickhouse, some)
        if bars.is_empty():
            continue
        outgoing.send_bars(context, bars)
        outgoing.confirm(context)
        telling.append(context.redis, "bar", _changes(bars), bounds_of(context))
        changes.mark_told(context.clickhouse, bars)


def tell_curves(context: Context, changed: pl.DataFrame) -> None:
    """Tells of changed snapshots (`pipeline.curve_events.curves`), which are in their topic."""
    session, version = pl.col("session").cast(pl.Datetime("us")).dt.epoch("us"), pl.col("version").cast(pl.Int64)
    rows = changed.select("tenant", "text", "ver", "state", "curve", pl.lit(""), session, version).iter_rows()
    told = (
        Told(tenant, Change(*change), text.encode(), ordered(ver, state)) for tenant, text, ver, state, *change in rows
    )
    telling.append(context.redis, "curve", told, bounds_of(context))


def tell_ticks(context: Context, headers: Iterable[BatchHeader]) -> None:
    """Tells that the ticks of these batches can be read, before their ranges are reported landed."""
    for each in headers:
        if each.spans:
            landed = telling.Landed(each.topic_id, each.partition, each.first, each.next, each.spans)
            telling.append_ticks(context.redis, landed, bounds_of(context))


def _changes(bars: pl.DataFrame) -> Iterator[Told]:
    """With what is shown of each, and its `ver`."""
    start, content = pl.col("start").dt.epoch("us"), encoded(bars, without=("period", "state")).alias("content")
    change = pl.col("instrument"), pl.col("interval"), start, pl.col("revision")
    for tenant, text, ver, state, *of in bars.select("tenant", content, "ver", "state", *change).iter_rows():
        yield Told(tenant, Change(*of), text.encode(), ordered(ver, state))
