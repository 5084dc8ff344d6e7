"""What the live stream needs from the stores: a part of `api.reads.ports.Reads`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import polars as pl

from db.clickhouse import replay
from db.clickhouse.known_changes import Known, Whose
from db.clickhouse.live import Span
from db.postgres.access import StoredKey
from db.redis.landed import Entry, Kind
from db.redis.live import Head, Look, Prices

Names = Sequence[str]


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows and, where there are more, the position (plain JSON values) to go on from."""

    rows: pl.DataFrame
    following: object | None


class Replays(Protocol):
    """Of what became known, in that order."""

    async def became_known(self, whose: replay.Whose, span: replay.Known, limit: int) -> pl.DataFrame:
        """Which prices became known in a span (`db.clickhouse.replay.BECAME`), in known order: `limit` rows, and all
        others of the last one's instant."""
        ...

    async def ticks_known(self, prices: pl.DataFrame, span: replay.Known) -> pl.DataFrame:
        """The publications of prices (`tenant, instrument, ts`) that changed one in a span (`api.reads.register.TICK`);
        some prices after others, those of some in known order."""
        ...

    async def bars_known(self, bars: pl.DataFrame, known: datetime) -> pl.DataFrame:
        """Bars (`pipeline.bars.TOUCHED`, of any intervals) as they were known at an instant (`api.shapes.BAR`); those
        that had lost their price by then, too."""
        ...

    async def bars_at(self, bars: pl.DataFrame) -> pl.DataFrame:
        """Bars (`tenant, instrument, interval, start`) as they are stored, those that lost their price too: the columns
        of a bar (`api.shapes.BAR`) and `ver`."""
        ...


class Lives(Replays, Protocol):
    """Of the landed log these raise a 503 problem where Redis is away."""

    async def log_head(self) -> Head:
        """Where the landed log ends."""
        ...

    async def log_look(self, after: str, wait_s: float) -> Look:
        """What came after a position; waits for it, at most so many seconds."""
        ...

    async def log_since(self, kind: Kind, after: str, until: str) -> tuple[list[Entry], str | None]:
        """Entries of a kind among some of those in (after, until], and where to go on from; None at the end."""
        ...

    async def log_prices(self, names: Mapping[str, Names]) -> Prices | None:
        """The latest prices by tenant, and where the log ended then; None while they are not whole."""
        ...

    async def newest_bars(self, tenants: Names, names: Names, intervals: Names) -> pl.DataFrame:
        """Of each instrument and interval the newest bar: the columns of a bar (`api.shapes.BAR`) and `ver`."""
        ...

    async def landed_ticks(self, tenants: Names, names: Names | None, span: Span) -> pl.DataFrame:
        """The ticks of offsets that changed a price, of these instruments or of all, in order
        (`api.reads.register.TICK`)."""
        ...

    async def unfinished(
        self, tenants: Names, names: Names | None, interval: str, start: datetime, expected: int
    ) -> Names:
        """The instruments, of these or of all, whose bars that begin at an instant hold fewer prices than expected."""
        ...

    async def changed_ticks(self, whose: Whose, span: Known, after: Sequence[Any] | None) -> Page:
        """The publications that changed a price and became known in a span, in that order; a page, and the position
        that it ends at."""
        ...

    async def changed_bars(self, whose: Whose, intervals: Names, span: Known, after: Sequence[Any] | None) -> Page:
        """The bars that changed with what became known in a span, as they are now, in that order."""
        ...

    async def find_keys(self, key_ids: Names) -> Mapping[str, StoredKey]:
        """The keys that there are, by their ids."""
        ...

    async def keep_ticket(self, ticket: str, key_id: str, seconds: int) -> None:
        """Keeps that a ticket stands for a key, for so long."""
        ...

    async def take_ticket(self, ticket: str) -> str | None:
        """The id of the key that a ticket stands for; it stands for it no longer."""
        ...
