"""Reads of the legs of spreads, and what was derived from them into the store."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse.current import IDENTITY, KNOWN, known_by, stored
from db.clickhouse.frames import fetch, insert_frame
from db.clickhouse.keys import key_table
from db.clickhouse.query import Query, instant
from pipeline.schema import SEEN, TICKS
from pipeline.spreads.kinds import MARKET

_HIGHEST: Final = 65_535  # what `parser_version` can hold
_READ: Final = ", ".join(f"`{name}`" for name in SEEN)
# The stamp of a leg's price is its start; the bucket of that instant is the UTC day of documents, and of ticks stamped
# at midnight.
_LEGS: Final = stored("""(tenant, bucket, instrument, ts) IN (
        SELECT tenant, toDateTime(toStartOfDay(start), 'UTC'), instrument, start FROM {keys:Identifier})""")
_PUBLICATIONS: Final = f"""
    SELECT {_READ} {_LEGS} ORDER BY parser_version DESC LIMIT 1 BY {IDENTITY}, version, {KNOWN}"""
_VALUES_FROM: Final = f"""
    SELECT {_READ} {stored("tenant = {tenant:String} AND instrument = {instrument:String}")}
        AND ts >= {{since:DateTime64(6, 'UTC')}}
    ORDER BY parser_version DESC LIMIT 1 BY {IDENTITY}, version, {KNOWN}"""
_DAYS: Final = f"""
    SELECT DISTINCT tenant, instrument, toDateTime64(toStartOfDay(ts), 6, 'UTC') AS start
    {stored("instrument IN {instruments:Array(String)} AND ts >= {low:DateTime64(6, 'UTC')}")}
        AND ts < {{high:DateTime64(6, 'UTC')}} ORDER BY start, instrument, tenant"""
_WITH_VALUES: Final = f"SELECT DISTINCT tenant, instrument {stored('market = {market:String}')}"


def publications(client: Client, legs: pl.DataFrame) -> pl.DataFrame:
    """All publications (`pipeline.schema.SEEN`) of prices: `tenant, instrument, start`."""
    keys = legs.with_columns(pl.lit("").alias("interval"), end="start", grace_s=pl.lit(0, pl.UInt32))
    with key_table(client, legs=keys) as name:
        return fetch(client, Query(_PUBLICATIONS, {"keys": name}))


def values_from(client: Client, tenant: str, instrument: str, since: datetime) -> pl.DataFrame:
    """All stored values (`pipeline.schema.SEEN`) of a spread that begin at or after an instant."""
    given = {"tenant": tenant, "instrument": instrument, "since": instant(since)}
    return fetch(client, Query(_VALUES_FROM, given))


def days(client: Client, instruments: Collection[str], low: datetime, high: datetime) -> pl.DataFrame:
    """`tenant, instrument, start`: the UTC days in [low, high) that hold a price, oldest first."""
    given = {"instruments": sorted(instruments), "low": instant(low), "high": instant(high)}
    return fetch(client, Query(_DAYS, given))


def insert_derived(client: Client, derived: pl.DataFrame) -> None:
    """Stores `pipeline.spreads.derive.DERIVED`; of two rows of one position the one that saw more stands."""
    if derived.is_empty():
        return
    measure = pl.col("seen").clip(upper_bound=_HIGHEST).cast(pl.UInt16).alias("parser_version")
    insert_frame(client, "ticks", derived.select(*TICKS, measure))


def spreads_with_values(client: Client) -> set[tuple[str, str]]:
    """(tenant, spread) of every spread that has a value."""
    found = fetch(client, Query(_WITH_VALUES, {"market": MARKET}))
    return {(tenant, name.removeprefix(f"{MARKET}.")) for tenant, name in found.iter_rows()}


def legs_at(tenants: Collection[str], legs: pl.DataFrame, known: datetime | None) -> Query:
    """All publications (`pipeline.schema.SEEN`) of a few prices (`instrument, at`), or those known by then."""
    stamps = [instant(each) for each in legs["at"].unique()]
    where = """tenant IN {tenants:Array(String)} AND instrument IN {instruments:Array(String)}
        AND ts IN {stamps:Array(DateTime64(6, 'UTC'))}
        AND bucket IN arrayMap(x -> toDateTime(toStartOfDay(x), 'UTC'), {stamps:Array(DateTime64(6, 'UTC'))})"""
    found = stored(known_by(where, bounded=known is not None))
    sql = f"SELECT {_READ} {found} ORDER BY parser_version DESC LIMIT 1 BY {IDENTITY}, version, {KNOWN}"
    given: dict[str, object] = {"tenants": list(tenants), "instruments": legs["instrument"].unique().to_list()}
    bound = {} if known is None else {"known": instant(known)}
    return Query(sql, given | {"stamps": stamps} | bound)
