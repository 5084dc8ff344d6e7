"""Reads the stored publications, plainly: no view, no FINAL, none of the reads that the service uses."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse.frames import fetch
from db.clickhouse.query import Query, instant
from verify.model import Publication
from verify.positions import Position

_PARTS: Final = ("energy", "congestion", "loss", "ghg", "bid", "ask")
_INSTANTS: Final = ("ts", "known_at", "start", "hold_end")
VALUES: Final = ("price", "volume", *_PARTS)
_WHO: Final = ("tenant", "instrument", "market", "product")
ROW: Final = (
    "ts", "source_rank", "event_id", "version", "known_at", "topic_id", "partition", "offset", "row", "start",
    "hold_end", "price", "volume", *_PARTS, "flags",
)  # fmt: skip
_SHARD_ROWS: Final = 400_000

_COUNT = "SELECT count() AS n FROM ticks WHERE start >= {since:DateTime64(6, 'UTC')}"
_SHARD = f"""
SELECT {", ".join(f"`{name}`" for name in (*_WHO, *ROW))}, parser_version FROM ticks
WHERE (tenant, instrument) IN
        (SELECT tenant, instrument FROM ticks WHERE start >= {{since:DateTime64(6, 'UTC')}})
    AND cityHash64(tenant, instrument) % {{shards:UInt32}} = {{shard:UInt32}}
ORDER BY tenant, instrument, ts, topic_id, partition, offset, row, parser_version
"""


@dataclass(frozen=True, slots=True)
class Series:
    """Every distinct publication of one instrument of one tenant."""

    tenant: str
    instrument: str
    market: str
    product: str
    publications: list[Publication]
    parsers: list[int]  # of each publication the version of the parser that read it

    @property
    def name(self) -> str:
        return f"{self.instrument} of {self.tenant}"


def series(client: Client, since: datetime) -> Iterator[Series]:
    """All instruments with a price since an instant, whole, in shards that fit in memory."""
    bound = {"since": instant(since)}
    shards = fetch(client, Query(_COUNT, bound))["n"][0] // _SHARD_ROWS + 1
    for shard in range(shards):
        frame = fetch(client, Query(_SHARD, {**bound, "shards": shards, "shard": shard}))
        for group in _integers(frame).partition_by(["tenant", "instrument"], maintain_order=True):
            yield _series(group)


def of_instrument(client: Client, tenant: str, instrument: str) -> Series | None:
    """One instrument, read again."""
    sql = f"""
        SELECT {", ".join(f"`{name}`" for name in (*_WHO, *ROW))}, parser_version FROM ticks
        WHERE tenant = {{tenant:String}} AND instrument = {{instrument:String}}
        ORDER BY ts, topic_id, partition, offset, row, parser_version"""
    frame = fetch(client, Query(sql, {"tenant": tenant, "instrument": instrument}))
    return None if frame.is_empty() else _series(_integers(frame))


def _integers(frame: pl.DataFrame) -> pl.DataFrame:
    """Values as integers of 10^-9, instants as microseconds."""
    return frame.with_columns(
        *(pl.col(name).dt.epoch("us") for name in _INSTANTS),
        *(pl.col(name).to_physical().cast(pl.Int64) for name in VALUES),
    )


def _series(group: pl.DataFrame) -> Series:
    tenant, instrument, market, product = group.select(_WHO).row(0)
    # A publication is its position and identity; of two readings of it, the later parser's stands.
    distinct: dict[tuple[object, ...], tuple[Publication, int]] = {}
    for *row, parser in group.select(*ROW, "parser_version").iter_rows():
        publication = publication_of(tuple(row))
        distinct[publication.identity, publication.known_order] = publication, parser
    publications, parsers = map(list, zip(*distinct.values(), strict=True))
    return Series(tenant, instrument, market, product, publications, parsers)


def publication_of(row: tuple[object, ...]) -> Publication:
    """The values of `ROW`, in its order."""
    return Publication._make((*row[:13], row[13:19], row[19]))


def instruments(client: Client) -> set[tuple[str, str]]:
    """(tenant, instrument) of every publication."""
    return set(fetch(client, Query("SELECT DISTINCT tenant, instrument FROM ticks", {})).iter_rows())


_POSITIONS = """
SELECT topic_id, partition, offset, uniqExact(row, tenant, instrument, ts) AS n FROM ticks
WHERE market != 'spread'
GROUP BY topic_id, partition, offset
"""


def positions(client: Client) -> Counter[Position]:
    """How many distinct publications each message brought; what follows from them it did not bring."""
    frame = fetch(client, Query(_POSITIONS, {}))
    return Counter({(topic, partition, offset): n for topic, partition, offset, n in frame.iter_rows()})
