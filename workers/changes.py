"""What a pass changed, told in the landed log once its prices can be read."""

from collections.abc import Iterator

import polars as pl

from db.clickhouse import changes
from db.redis import landed
from db.redis.landed import Bounds, Change
from workers import outgoing
from workers.context import Context


def bounds_of(context: Context) -> Bounds:
    """How much of the landed log is kept."""
    return Bounds(context.settings.landed.keep_s, context.settings.landed.keep_entries)


def tell(context: Context, states: pl.DataFrame) -> None:
    """Tells other consumers which of these bars (`db.clickhouse.changes.STATE`) are not as they were told before.

    First the outgoing topic, then the log, then what was told is remembered: a crash in between tells it again.
    """
    found = changes.untold(context.clickhouse, states)
    outgoing.send_bars(context, found)
    outgoing.confirm(context)
    landed.append_bars(context.redis, _changes(found), bounds_of(context))
    changes.mark_told(context.clickhouse, found)


def _changes(found: pl.DataFrame) -> Iterator[tuple[str, Change]]:
    start = pl.col("start").dt.epoch("us")
    for tenant, *rest in found.select("tenant", "instrument", "interval", start, "revision").iter_rows():
        yield tenant, Change(*rest)
