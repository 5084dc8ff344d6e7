"""Rows of three tenants in every table of ClickHouse that has tenants, and reads of them of every kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse import counts, coverage, curves, explain, known_bars, known_latest, plain, reads, stand
from db.clickhouse.counts import Counting
from db.clickhouse.query import Query
from tests.db.clickhouse.rows import DAY, document, generic, land

TENANTS: Final = ("acme", "other", "public")
ASKED: Final = (("acme",), ("other", "public"))
_WITH_TENANTS: Final = """
    SELECT c.table, t.engine != 'MaterializedView' AS stores FROM system.columns AS c
    JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
    WHERE c.database = 'gridtick' AND c.name = 'tenant' ORDER BY c.table"""


@dataclass(frozen=True)
class Made:
    """A data folder with rows of all tenants in every table that has any, and what it answers to one without a wall."""

    folder: Path
    tables: list[str]
    answers: dict[Sequence[str], list[pl.DataFrame]]


def filled(client: Client) -> list[str]:
    """Stores the rows; the names of the tables, and views, that have tenants."""
    places = [(n, tenant, DAY + timedelta(hours=hour)) for n, tenant in enumerate(TENANTS, 1) for hour in range(3)]
    documents = [document(tenant, at, f"{n}.5", 60) for n, tenant, at in places]
    land(client, documents + [generic(tenant, at, f"-{n}", event_id=str(at)) for n, tenant, at in places])
    tables = client.query(_WITH_TENANTS).result_rows
    for table in (name for name, stores in tables if stores):
        client.insert(table, [[tenant] for tenant in TENANTS], column_names=["tenant"])
    return [name for name, _ in tables]


def asked(tenants: Sequence[str]) -> list[Query]:
    """Reads of every kind, each of which finds rows."""
    scope, span = reads.Scope(tenants, ["POWER", "caiso.rt_5min.NODE"]), reads.Range(DAY, DAY + timedelta(days=1), 100)
    later, what = DAY + timedelta(days=2), Counting([(tenants[0], "POWER")], span.start, span.end)
    return [
        reads.read_ticks(scope, span), reads.read_history(scope, span, known=later), reads.newest(scope),
        reads.in_force(scope, DAY + timedelta(minutes=30)), reads.newest_until(scope, later),
        *(reads.read_bars(scope, interval, span) for interval in ("1h", "1d")), plain.read_publications(scope, span),
        counts.bars(what, "1h"), counts.publications(what, None), counts.prices(what, None),
        coverage.held(tenants[0], "caiso.rt_5min.NODE", span.start, span.end), coverage.extent(tenants[0], "POWER"),
        explain.publications(scope, span, None), known_bars.candidates(scope, "1h", span, later),
        known_latest.newest_known(scope, later), curves.in_sessions(tenants, "", date(1900, 1, 1), date(1970, 1, 2), 9),
        stand.bars(span.start, span.end),
    ]  # fmt: skip
