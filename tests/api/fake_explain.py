"""What the routes read of publications and of all instruments, from lists."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import polars as pl

from api.reads.ports import Page, Window
from db.clickhouse.explain import Publications
from db.postgres.ledger import DeadLetters
from db.postgres.places import Message
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import publications

_KNOWN = ("known_at", "topic_id", "partition", "offset", "row")


class FakeExplain:
    """That part of the reads of tests; `told` are publications (rows of `tests.db.clickhouse.rows`)."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Row] = []
        self.topics: dict[str, str] = {}
        self.landings: dict[Message, datetime] = {}
        self.scans = 0
        self.stored: list[dict[str, object]] = []

    @abstractmethod
    async def bars(self, tenants: Sequence[str], names: Sequence[str], interval: str, window: Window) -> Page:
        """Those of `tests.api.fakes.FakeReads`."""

    async def stored_bar(
        self, tenant: str, name: str, interval: str, start: datetime, end: datetime
    ) -> tuple[pl.DataFrame, int | None]:
        found = (await self.bars([tenant], [name], interval, Window(start, end, None, 1))).rows
        return found, None if found.is_empty() else 1

    async def bar_publications(
        self, tenant: str, name: str, start: datetime, end: datetime, known: datetime | None, most: int
    ) -> Publications:
        rows = [row for row in self.told if row["tenant"] == tenant and row["instrument"] == name]
        rows = sorted((row for row in rows if start <= row["start"] < end), key=lambda row: [row[at] for at in _KNOWN])
        there = [row for row in rows if known is None or row["known_at"] <= known]
        told = [_judged(row, there[:number]) for number, row in enumerate(there)]
        columns = pl.DataFrame(told, {"effective": pl.Boolean, "standing": pl.Boolean}, orient="row")
        return Publications(publications(there).hstack(columns).head(most), len(there), len(there) <= most)

    async def topics_of(self, topic_ids: Collection[str]) -> Mapping[str, str]:
        return {each: self.topics[each] for each in topic_ids if each in self.topics}

    async def active(self, tenant: str, now: datetime) -> pl.DataFrame:
        self.scans += 1
        rows = [(row["instrument"], row["start"]) for row in self.stored if row["tenant"] == tenant]
        frame = pl.DataFrame(rows, {"instrument": pl.String, "newest": pl.Datetime("us", "UTC")}, orient="row")
        return frame.group_by("instrument").agg(pl.col("newest").max())

    async def queued(self) -> Mapping[str, int]:
        return {"normalize": 3, "project": 0}

    async def dead_letters(self, since: datetime) -> DeadLetters:
        return DeadLetters(7, 2)

    async def landed_at(self, messages: Sequence[Message]) -> Mapping[Message, datetime]:
        return {each: self.landings[each] for each in messages if each in self.landings}


def _judged(row: Row, before: Sequence[Row]) -> tuple[bool, bool]:
    """Whether it is effective, and standing; prices of one instant are one."""
    earlier = [each for each in before if each["ts"] == row["ts"]]
    standing = all(row["version"] >= each["version"] for each in earlier)
    changes = not earlier or (row["price"], row["flags"]) != (earlier[-1]["price"], earlier[-1]["flags"])
    return standing and changes, standing
