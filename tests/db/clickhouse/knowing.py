"""What was known at an instant: by brute force from plain rows, and as the reads give it, page by page."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse import known_bars, known_latest, reads
from db.clickhouse.frames import fetch
from tests.db.clickhouse import brute
from tests.db.clickhouse.brute import Row
from tests.db.clickhouse.rows import DAY

SPAN = reads.Range(DAY - timedelta(days=30), DAY + timedelta(days=300), 1_000_000)


def known(rows: Sequence[Row], at: datetime) -> list[Row]:
    return [row for row in rows if row["known_at"] <= at]


def instants(rows: Sequence[Row]) -> list[datetime]:
    """Before anything, and at and just before every publication."""
    every = {row["known_at"] for row in rows}
    return sorted(every | {at - timedelta(microseconds=1) for at in every})


def scope_of(rows: Sequence[Row]) -> reads.Scope:
    return reads.Scope(sorted({row["tenant"] for row in rows}), sorted({row["instrument"] for row in rows}))


def price_of(rows: Sequence[Row]) -> list[Row]:
    """The tick of each identity of one instrument, as the read shows it."""
    return [each.row | {"revision": len(each.changes) - 1} for each in brute.prices(rows)]


def history_of(rows: Sequence[Row]) -> list[Row]:
    """Every effective publication of one instrument: the first of all is, and what changes the price does."""
    order = ("known_at", "topic_id", "partition", "offset", "row")
    ordered = sorted(rows, key=lambda row: [row[name] for name in order])
    found: list[Row] = []
    for upto in range(len(ordered)):
        found += [each for each in price_of(ordered[: upto + 1]) if each not in found]
    return found


def newest_of(rows: Sequence[Row], until: datetime | None = None) -> Row | None:
    """The usable price of one instrument that closes it."""
    usable = [each for each in price_of(rows) if not each["flags"] & brute.ADVISORY]
    begun = [each for each in usable if until is None or each["start"] <= until]
    return max(begun, key=lambda row: (row["start"], row["source_rank"], row["event_id"], row["ts"]), default=None)


def read_pages(
    client: Client, rows: Sequence[Row], at: datetime | None, limit: int, history: bool = False
) -> list[Row]:
    """Ticks, or all publications, over pages of `limit`."""
    read, kind = (reads.read_history, reads.HistoryPosition) if history else (reads.read_ticks, reads.TickPosition)
    found: list[Row] = []
    after: Any = None
    while True:
        page = fetch(client, read(scope_of(rows), SPAN._replace(limit=limit), after, at)).to_dicts()
        found += page
        if len(page) < limit:
            return found
        after = kind(*(page[-1][name] for name in kind._fields))


def read_bars(client: Client, rows: Sequence[Row], interval: str, at: datetime, limit: int) -> list[Row]:
    """Bars over pages of `limit`, each made of what was known."""
    scope, zones = scope_of(rows), _zones(rows)
    found: list[Row] = []
    after: reads.BarPosition | None = None
    while True:
        span = SPAN._replace(limit=limit) if after is None else SPAN._replace(limit=limit, start=after.start)
        there = fetch(client, known_bars.candidates(scope, interval, span, at))
        page, after = known_bars.wanted(there, interval, zones, span, after)
        found += known_bars.known_bars(client, page, at).to_dicts() if page.height else []
        if after is None:
            return found


def _zones(rows: Sequence[Row]) -> pl.DataFrame:
    names = ("tenant", "instrument", "market", "product")
    every = sorted({tuple(row[name] for name in names) for row in rows})
    return pl.DataFrame(every, schema=list(names), orient="row").with_columns(zone=pl.lit(None, pl.String))


def read_newest(client: Client, rows: Sequence[Row], at: datetime, until: datetime | None = None) -> list[Row]:
    """As the API puts it together: what is not sure is replayed."""
    more = () if until is None else (until,)
    first = fetch(client, known_latest.newest_known(scope_of(rows), at, *more))
    doubtful = first.filter(~pl.col("sure"))
    found = first.filter("sure").drop("sure").to_dicts()
    if doubtful.height:
        who = ["tenant", "instrument"]
        scope = reads.Scope(*(doubtful[name].unique().to_list() for name in who))
        replayed = fetch(client, known_latest.newest_replayed(scope, at, *more))
        found += replayed.join(doubtful, on=who, how="semi").to_dicts()
    return found
