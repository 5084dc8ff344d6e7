"""Latest prices on their way into Redis."""

import polars as pl

from db.redis.latest import write_latest
from workers import changes
from workers.context import Context


def offer(context: Context, candidates: pl.DataFrame) -> int:
    """Offers latest prices (`db.clickhouse.latest.candidates`); how many were written."""
    written = write_latest(context.redis, candidates, changes.bounds_of(context))
    context.metrics.count("latest_written", written.changed + written.unchanged)
    return written.changed + written.unchanged
