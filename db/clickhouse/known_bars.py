"""Bars as they were known at an instant: made by the statements of the pass, of what was known then; none is stored.

First which bars there may be (`candidates`, `wanted`), then those bars (`known_bars`). A page takes as many of them as
their publications allow, so that no request computes more than a bar or `MOST_TICKS` publications.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse import current
from db.clickhouse.bars import make_finest
from db.clickhouse.bounds import RANGE, WHO, BarPosition, Range, Scope, beyond
from db.clickhouse.folds import add_coarser, fold_made, path
from db.clickhouse.frames import fetch
from db.clickhouse.keys import key_table, made_table, with_grace
from db.clickhouse.query import Query, instant
from db.clickhouse.reads import BUCKETS
from db.clickhouse.rollup import SECONDS, floor
from db.clickhouse.shown import finished, shown_bars
from pipeline import calendar
from pipeline.bars import TOUCHED, day_zone, united
from pipeline.schema import INSTANT, conform

MOST_TICKS: Final = 500_000
_LONGEST_DAY: Final = timedelta(hours=25)
_HOUR_S: Final = 3600
_ORDER: Final = ("start", "instrument", "tenant")


def candidates(scope: Scope, interval: str, span: Range, known: datetime) -> Query:
    """The buckets of an interval (of `1d`: the hours) that hold a publication known at an instant, with those that may
    start in the span: `tenant, instrument, start, seen`, in no order."""
    seconds = SECONDS.get(interval, _HOUR_S)
    sql = f"""
        SELECT tenant, instrument, {floor("start", "{seconds:UInt32}")} AS at, count() AS seen
        {current.stored(current.known_by(f"{WHO} AND {BUCKETS} AND {RANGE}"))}
        GROUP BY tenant, instrument, at"""
    width = timedelta(seconds=seconds) if interval in SECONDS else _LONGEST_DAY
    around = span._replace(end=span.end + width)
    given = scope.parameters | around.parameters | {"known": instant(known), "seconds": seconds}
    return Query(f"SELECT * EXCEPT (at), toDateTime64(at, 6, 'UTC') AS start FROM ({sql})", given)


def wanted(
    found: pl.DataFrame, interval: str, zones: pl.DataFrame, span: Range, after: BarPosition | None
) -> tuple[pl.DataFrame, BarPosition | None]:
    """The bars of a page (`pipeline.bars.TOUCHED`) among what `candidates` has found, and the position to go on from.

    `zones`: `tenant, instrument, market, product, zone` of the instruments: whose day their `1d` bar is.
    """
    seconds = SECONDS.get(interval, _HOUR_S)
    starts = found.with_columns(pl.col("start").cast(INSTANT)).join(_own(zones), on=["tenant", "instrument"])
    placed = starts.with_columns(end=pl.col("start") + pl.duration(seconds=seconds))
    bars = placed if interval in SECONDS else _days(placed)
    inside = (pl.col("start") >= span.start) & (pl.col("start") < span.end) & beyond(after)
    ordered = bars.filter(inside).sort(_ORDER)
    page = ordered.head(min(span.limit, max(1, _affordable(ordered["seen"]))))
    more = page.height < ordered.height
    touched = conform(page.with_columns(interval=pl.lit(interval)).select(list(TOUCHED)), TOUCHED)
    return touched, BarPosition(*page.select(_ORDER).row(-1)) if more else None


def known_bars(client: Client, bars: pl.DataFrame, known: datetime) -> pl.DataFrame:
    """These bars (`pipeline.bars.TOUCHED`, of one interval) as they were known at an instant: the columns of
    `db.clickhouse.shown`, in order of start, instrument and tenant; those without a price then are left out."""
    return _known_bars(client, bars, known, "count > 0")


def known_or_emptied(client: Client, bars: pl.DataFrame, known: datetime) -> pl.DataFrame:
    """The same of bars of any intervals, those too that had publications, but no price that counts."""
    found = _known_bars(client, bars, known, "count >= 0")
    return found.join(bars, on=["tenant", "instrument", "interval", "start"], how="semi", maintain_order="left")


def _known_bars(client: Client, bars: pl.DataFrame, known: datetime, which: str) -> pl.DataFrame:
    finest, coarser = _levels(bars)
    with making(client, finest, coarser, known) as made:
        shown = shown_bars(f"`interval` IN {{intervals:Array(String)}} AND {which}", "{made:Identifier}")
        sql = f"{shown} ORDER BY {', '.join(_ORDER)}"
        return fetch(client, Query(sql, {"made": made, "intervals": bars["interval"].unique().to_list()}, finished))


@contextmanager
def making(client: Client, finest: pl.DataFrame, coarser: pl.DataFrame, known: datetime) -> Generator[str]:
    """The table of the bars of these keys (`levels`) as they were known at an instant."""
    with key_table(client, ticks=finest) as keys, made_table(client) as made:
        tables: dict[str, str] = {"keys": keys, "made": made, "known": instant(known)}
        make_finest(client, tables, finest)
        add_coarser(client, keys, coarser)
        fold_made(client, tables, coarser)
        yield made


def _levels(bars: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of bars of any intervals: all that they are made of, each once."""
    every = [levels(some, str(interval)) for (interval,), some in bars.group_by("interval")]
    finest, coarser = (with_grace(united(part)) for part in zip(*every, strict=True))
    return finest, coarser


def _own(zones: pl.DataFrame) -> pl.DataFrame:
    pairs = zones.select("market", "product").unique()
    of_market = pairs.with_columns(
        pl.Series("of_market", [day_zone(*pair) for pair in pairs.iter_rows()], dtype=pl.String)
    )
    known = zones.join(of_market, on=["market", "product"], nulls_equal=True)
    return known.select("tenant", "instrument", "market", "product", zone=pl.coalesce("zone", "of_market"))


def _days(hours: pl.DataFrame) -> pl.DataFrame:
    """The local days that hold the hours."""
    days = calendar.local_days(hours, "zone")
    borders = days.group_by("tenant", "instrument", start="day_start", end="day_end")
    return borders.agg(pl.col("market", "product", "zone").first(), pl.col("seen").sum())


def _affordable(seen: pl.Series) -> int:
    """How many bars hold no more than `MOST_TICKS` publications together."""
    return int((seen.cast(pl.Int64).cum_sum() <= MOST_TICKS).sum())


def levels(bars: pl.DataFrame, interval: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The keys of the bars' finest intervals, and of all others by which they are made."""
    parts: tuple[list[pl.DataFrame], list[pl.DataFrame]] = ([], [])
    for rows in bars.partition_by("market", "product"):
        for number, name in enumerate(path(interval, rows["market"][0], rows["product"][0])):
            parts[number > 0].append(rows.with_columns(interval=pl.lit(name)))
    finest, coarser = (pl.concat([bars.clear(), *part]) for part in parts)
    return finest, coarser
