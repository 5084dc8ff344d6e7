"""Publications stored: their prices are told at once, their bars are left to the next pass."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import polars as pl

from db.clickhouse.newest import newest_prices
from db.clickhouse.ticks import insert_ticks
from pipeline.bars import touched, united
from service import clock
from workers.codec import to_msgpack
from workers.context import Context
from workers.frames import frame_to_bytes
from workers.header import BatchHeader
from workers.prices import offer
from workers.tasks.aggregate import schedule
from workers.tasks.base import refusals
from workers.tasks.faults import engine_refusals

FRESH_US: Final = 5_000_000


class Ticks(NamedTuple):
    """A batch and its ticks."""

    header: BatchHeader
    ticks: pl.DataFrame


def store(context: Context, batches: Sequence[Ticks]) -> None:
    """Inserts the enriched ticks (`pipeline.enrich.Enriched.ticks`) of some batches together.

    From then on they wait for a pass, whatever becomes of the word that tells their prices before it.
    """
    with refusals("enrich"):
        buckets = [touched(each.ticks) for each in batches]
        ticks = pl.concat([each.ticks for each in batches])
    with engine_refusals("enrich"):
        context.metrics.count("ticks_stored", insert_ticks(context.clickhouse, ticks))
    try:
        if context.settings.core.lane == "live" and _are_fresh(batches):
            offer(context, newest_prices(context.clickhouse, ticks, united(buckets)))
    finally:
        _hand_on(context, batches, buckets)


def _hand_on(context: Context, batches: Sequence[Ticks], buckets: Sequence[pl.DataFrame]) -> None:
    for (header, own), some in zip(batches, buckets, strict=True):
        known = msgspec.structs.replace(header, spans=_spans(own))
        context.passes.push(to_msgpack([known.to_json(), frame_to_bytes(some)]))
        context.passes.arrived(header.batch_id)
    schedule(context)


def _are_fresh(batches: Sequence[Ticks]) -> bool:
    """Not of a backlog, whose prices the next pass tells soon enough: it has enough to do."""
    return clock.now_us() - max(each.header.known_at_us for each in batches) < FRESH_US


def _spans(ticks: pl.DataFrame) -> tuple[tuple[str, int, int], ...]:
    ends = pl.col("ts").min().dt.epoch("us").alias("low"), pl.col("ts").max().dt.epoch("us").alias("high")
    return tuple(ticks.group_by("tenant", maintain_order=True).agg(*ends).rows())
