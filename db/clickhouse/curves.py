"""Snapshots of forward curves in the store, and the publications that they are made of.

A snapshot is whole in the rows of its highest `ver`; what a computation that saw less wrote later stands below them.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse.frames import fetch, insert_frame
from db.clickhouse.query import Query, instant
from pipeline.curves.definitions import RULES
from pipeline.curves.points import POINTS
from pipeline.curves.snapshot import HEADS, Built
from pipeline.schema import SEEN, Schema, conform

_WHOSE: Final = {"tenant": pl.String(), "curve": pl.String()}
STORED_HEADS: Final[Schema] = {**_WHOSE, **{name: of for name, of in HEADS.items() if name != "seen"}}
STORED_POINTS: Final[Schema] = {**_WHOSE, **POINTS}
_HELD: Final = ("at", "first_known", "known_at", "version", "partial")
_KEY: Final = ("tenant", "curve", "session")
# The lower half of a `ver`, below what was seen: the version of the reference, and below it that of the rules.
_MADE_WITH: Final = 1 << 32
_RULES: Final = 1 << 8

_PUBLICATION: Final = """
    tenant, instrument, ts, source_rank, event_id, version, known_at, topic_id, partition, `offset`, `row`"""
_COLUMNS: Final = ", ".join(f"`{name}`" for name in SEEN)
_NEWEST: Final = f"""
    SELECT * EXCEPT newest FROM (
        SELECT {", ".join(f"`{name}`" for name in (*STORED_POINTS, *_HELD))}, number, ver,
            max(ver) OVER (PARTITION BY tenant, curve, session) AS newest
        FROM curve_points FINAL WHERE {{where}})
    WHERE ver = newest ORDER BY tenant, curve, session, role, number"""


class Inputs(NamedTuple):
    """Whose ticks of which market and product, with instants in [low, high]."""

    tenant: str
    market: str
    product: str
    low: datetime
    high: datetime


class Stored(NamedTuple):
    """STORED_HEADS and STORED_POINTS, in order of tenant, curve and session."""

    heads: pl.DataFrame
    points: pl.DataFrame


def publications(of: Inputs, known: datetime | None = None) -> Query:
    """Every publication (`pipeline.schema.SEEN`), each once; of those known at an instant alone."""
    bounded = "" if known is None else "AND known_at <= {known:DateTime64(6, 'UTC')}"
    sql = f"""
        SELECT {_COLUMNS} FROM ticks
        WHERE tenant = {{tenant:String}} AND market = {{market:String}} AND product = {{product:String}}
            AND bucket >= toStartOfDay({{low:DateTime64(6, 'UTC')}}) AND bucket <= {{high:DateTime64(6, 'UTC')}}
            AND ts >= {{low:DateTime64(6, 'UTC')}} AND ts <= {{high:DateTime64(6, 'UTC')}} {bounded}
        ORDER BY parser_version DESC LIMIT 1 BY {_PUBLICATION}"""
    given = {**of._asdict(), "low": instant(of.low), "high": instant(of.high)}
    return Query(sql, given if known is None else given | {"known": instant(known)})


def publications_of(client: Client, of: Inputs) -> pl.DataFrame:
    """Every publication (`pipeline.schema.SEEN`), each once."""
    return conform(fetch(client, publications(of)), SEEN)


def store(client: Client, tenant: str, curve: str, built: Built, reference: int) -> pl.DataFrame:
    """Stores the snapshots; their HEADS with `tenant`, `curve` and the `ver` under which they stand.

    `reference`: the version of the reference that they were made with.
    """
    ver = (pl.col("seen") * _MADE_WITH + _made_with(reference)).cast(pl.UInt64)
    heads = built.heads.with_columns(tenant=pl.lit(tenant), curve=pl.lit(curve), ver=ver)
    number = pl.int_range(pl.len()).over("session", "role").cast(pl.UInt16)
    rows = built.points.with_columns(number=number).join(heads.drop("seen"), on="session", maintain_order="left")
    if not rows.is_empty():
        insert_frame(client, "curve_points", rows)
    return heads


def forget(client: Client, tenant: str, curve: str, reference: int) -> None:
    """Removes the snapshots that were made with an older version of the reference (or of the rules) than this one."""
    older = f"bitAnd(ver, {_MADE_WITH - 1}) < {{made_with:UInt64}}"
    whose = "tenant = {tenant:String} AND curve = {curve:String}"
    given = {"tenant": tenant, "curve": curve, "made_with": _made_with(reference)}
    statement = f"ALTER TABLE curve_points DELETE WHERE {whose} AND {older}"
    client.command(statement, parameters=given, settings={"mutations_sync": 1})


def _made_with(reference: int) -> int:
    return (reference * _RULES + RULES) % _MADE_WITH


def in_sessions(tenants: Sequence[str], curve: str, first: date, last: date, limit: int) -> Query:
    """The stored snapshots of a curve with sessions in [first, last], the first `limit` of them."""
    which = """tenant IN {tenants:Array(String)} AND curve = {curve:String} AND (tenant, session) IN (
        SELECT tenant, session FROM curve_points WHERE tenant IN {tenants:Array(String)} AND curve = {curve:String}
            AND session >= {first:Date32} AND session <= {last:Date32}
        GROUP BY tenant, session ORDER BY tenant, session LIMIT {limit:UInt32})"""
    given = {"tenants": list(tenants), "curve": curve, "first": first, "last": last, "limit": limit}
    return Query(_NEWEST.replace("{where}", which), given)


def until(tenant: str, curve: str, at: datetime) -> Query:
    """The newest stored snapshot of a curve whose `at` is not after an instant: that of the rows that stand."""
    which = """tenant = {tenant:String} AND curve = {curve:String} AND session = (
        SELECT max(session) FROM (
            SELECT session FROM curve_points WHERE tenant = {tenant:String} AND curve = {curve:String}
            GROUP BY session HAVING argMax(at, ver) <= {at:DateTime64(6, 'UTC')}))"""
    return Query(_NEWEST.replace("{where}", which), {"tenant": tenant, "curve": curve, "at": instant(at)})


def read(found: pl.DataFrame) -> Stored:
    """The rows of such a query."""
    typed = found.with_columns(pl.col("session").cast(pl.Date), pl.col("partial").cast(pl.Boolean))
    heads = typed.unique(_KEY, keep="first", maintain_order=True)
    return Stored(conform(heads.select(list(STORED_HEADS)), STORED_HEADS), conform(
        typed.select(list(STORED_POINTS)), STORED_POINTS
    ))  # fmt: skip


_TOLD: Final = """
    SELECT tenant, curve, session, max(curve_told.ver) AS told_ver,
        argMax(curve_told.state, curve_told.ver) AS told_state
    FROM curve_told WHERE tenant = {tenant:String} AND curve = {curve:String} AND session >= {first:Date32}
        AND session <= {last:Date32} GROUP BY tenant, curve, session"""


def untold(client: Client, now: pl.DataFrame) -> pl.DataFrame:
    """Those of `now` (tenant, curve, session, state, ver of one tenant and curve) whose state was not told; what a
    newer computation has told meanwhile is not told again, unless a definition before had seen more prices."""
    if now.is_empty():
        return now
    given = {"tenant": now["tenant"][0], "curve": now["curve"][0]}
    told = fetch(client, Query(_TOLD, {**given, "first": now["session"].min(), "last": now["session"].max()}))
    typed = told.with_columns(pl.col("session").cast(pl.Date))
    found = now.join(typed, on=_KEY, how="left", maintain_order="left")
    told_with, with_ = (pl.col(name) & (_MADE_WITH - 1) for name in ("told_ver", "ver"))
    newer = (pl.col("told_ver") > pl.col("ver")) & (told_with >= with_)
    known = newer | (pl.col("told_state") == pl.col("state"))
    return found.filter(~known.fill_null(value=False)).select(now.columns)


def mark_told(client: Client, told: pl.DataFrame) -> None:
    """Remembers that these were told."""
    if not told.is_empty():
        insert_frame(client, "curve_told", told.select(*_KEY, "state", "ver"))


def sessions_known(
    tenant: str, curve: str, span: tuple[date, date], known: datetime, limit: int, *, newest: bool = True
) -> Query:
    """The newest (or the first) `limit` sessions, both days of `span` included, of which something was known at an
    instant."""
    which = "tenant = {tenant:String} AND curve = {curve:String}"
    which += " AND session >= {first:Date32} AND session <= {last:Date32}"
    sql = f"""
        SELECT DISTINCT session FROM ({_NEWEST.replace("{where}", which)})
        WHERE first_known <= {{known:DateTime64(6, 'UTC')}}
        ORDER BY session {"DESC" if newest else "ASC"} LIMIT {{limit:UInt32}}"""
    given = {"tenant": tenant, "curve": curve, "first": span[0], "last": span[1], "limit": limit}
    return Query(sql, given | {"known": instant(known)})
