"""Ticks that have landed, read where somebody listens: the log names their offsets, the store holds them."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from api.live.groups import Group
from api.live.rendering import tick_rows
from api.live.row import Change, Row
from api.live.selection import Selection
from api.reads.ports import Reads
from db.clickhouse.live import Range, Span
from db.redis.landed import Entry
from db.reference.snapshot import INSTRUMENTS
from service import clock

_NAMED: Final = 1000


async def changes(reads: Reads, entries: Sequence[Entry], groups: Sequence[Group]) -> list[Change]:
    """What of entries that tell of ticks is of these groups, in their order."""
    selections = [group.selection for group in groups]
    wanted = [entry for entry in entries if any(entry.tenant in each.visible.tenants for each in selections)]
    if not wanted:
        return []
    found = await reads.landed_ticks(sorted({entry.tenant for entry in wanted}), _names(selections), _span(wanted))
    reference = await _reference(reads, found)
    found = found.join(reference, on=["tenant", "instrument"], how="semi", maintain_order="left")
    of = dict[str, list[Row]]()
    places = found.select("tenant", "topic_id", "partition", "offset").iter_rows()
    for row, (tenant, topic, partition, offset) in zip(tick_rows(found, reference), places, strict=True):
        for entry in wanted:
            if entry.tenant == tenant and _holds(entry, f"{topic}:{partition}", offset):
                of.setdefault(entry.id, []).append(row)
    return [Change("ticks", entry.seq, entry.id, of.get(entry.id, [])) for entry in wanted]


async def _reference(reads: Reads, found: pl.DataFrame) -> pl.DataFrame:
    """The instruments, with those of the ticks, which may have been registered a moment before they landed."""
    held = (await reads.snapshot()).tables[INSTRUMENTS]
    if found.join(held, on=["tenant", "instrument"], how="anti").is_empty():
        return held
    return (await reads.snapshot(fresh=True)).tables[INSTRUMENTS]


def _names(selections: Sequence[Selection]) -> list[str] | None:
    """Those that are asked for; None, all, where somebody asks for a whole market, or for too many to name them."""
    asked = [each.names for each in selections if each.names is not None]
    names = frozenset[str]().union(*asked)
    return sorted(names) if len(asked) == len(selections) and len(names) <= _NAMED else None


def _holds(entry: Entry, place: str, offset: int) -> bool:
    of = entry.offsets
    return of is not None and of.place == place and of.first <= offset < of.next


def _span(entries: Sequence[Entry]) -> Span:
    offsets = [entry.offsets for entry in entries if entry.offsets is not None]
    ranges = [Range(*_partition(each.place), each.first, each.next) for each in offsets]
    low, high = min(each.low_us for each in offsets), max(each.high_us for each in offsets)
    return Span(ranges, clock.from_us(low), clock.from_us(high))


def _partition(place: str) -> tuple[str, int]:
    topic, _, partition = place.rpartition(":")
    return topic, int(partition)
