"""Bars of a block of hours as they were known at an instant: made as those of `db.clickhouse.known_bars` are."""

from datetime import datetime, timedelta
from typing import Final

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse.block_bars import Cut, day_bars, graces
from db.clickhouse.bounds import BarPosition, Range, Scope
from db.clickhouse.frames import fetch
from db.clickhouse.keys import with_grace
from db.clickhouse.known_bars import known_bars, levels, making
from pipeline import blocks
from pipeline.bars import TOUCHED, united
from pipeline.blocks import ATC, Block
from pipeline.schema import INSTANT, conform

_MADE: Final = "{made:Identifier}"
_HOUR_S: Final = 3600


def narrowed(found: pl.DataFrame, reference: pl.DataFrame, block: Block) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of the hours that `known_bars.candidates` has found those that lie in the block; the rows of the reference with
    the `zone` whose days its days are: that of the column `days`, where the reference has it, else the block's."""
    own = reference.with_columns(zone=_day_zones(reference, block))
    hours = found.with_columns(pl.col("start").cast(INSTANT))
    named = hours.join(own.select("tenant", "instrument", "market"), on=["tenant", "instrument"])
    parts = [rows.filter(blocks.within(rows["start"], block, market)) for market, rows in _markets(named)]
    return pl.concat([named.clear(), *parts]).drop("market"), own


def known_block_bars(client: Client, bars: pl.DataFrame, known: datetime, block: Block | None) -> pl.DataFrame:
    """As `known_bars.known_bars`, of the hours of a block where there is one."""
    if block is None or bars["interval"][0] != "1d":
        return known_bars(client, bars, known)
    return known_days(client, bars, known, block)


def _day_zones(reference: pl.DataFrame, block: Block) -> pl.Expr:
    of_block = {market: blocks.zone_of(block, market) for market in reference["market"].unique() if block != ATC}
    of_market = pl.col("market").replace_strict(of_block, default=None, return_dtype=pl.String)
    return pl.coalesce("days", of_market) if "days" in reference.columns else of_market


def known_days(client: Client, days: pl.DataFrame, known: datetime, block: Block) -> pl.DataFrame:
    """The bars of these days (`pipeline.bars.TOUCHED`: local ones of `zone`) of the block's hours, as they were known
    at an instant: the columns of `db.clickhouse.shown`, in order of start, instrument and tenant."""
    folded = _parts(days)
    finest, coarser = levels(with_grace(_hours(days, block, folded)), folded)
    with making(client, finest, coarser, known) as made:
        parts = [_folded(client, rows, block, made) for rows in days.partition_by("tenant", "market", "zone")]
    return pl.concat(parts).sort(BarPosition._fields)


def _folded(client: Client, days: pl.DataFrame, block: Block, made: str) -> pl.DataFrame:
    """The days of one tenant, market and zone, from the bars that were made."""
    scope = Scope(days["tenant"].unique().to_list(), days["instrument"].unique().to_list())
    ordered = days["start"].sort()
    span = Range(ordered[0], ordered[-1] + timedelta(microseconds=1), days.height)
    cut = Cut(block, days["market"][0], days["zone"][0], _parts(days))
    query = day_bars(scope, graces(days), span, cut, hours=_MADE)
    return fetch(client, query._replace(parameters={**query.parameters, "made": made}))


def _parts(days: pl.DataFrame) -> str:
    """The bars that these days are folded from: finer than hours where a midnight is no whole hour in UTC."""
    whole = days.select((pl.col("start", "end").dt.epoch("s") % _HOUR_S == 0).all()).row(0)
    return "1h" if all(whole) else "15m"


def _hours(days: pl.DataFrame, block: Block, parts: str) -> pl.DataFrame:
    """`pipeline.bars.TOUCHED`: the hours of the block in these days; of `atc` whole days, to be cut into `parts`."""
    if block == ATC:
        return united([days.with_columns(interval=pl.lit(parts))])
    found = [
        rows.join(blocks.hours(rows.select("start", "end").unique(), block, market), on="start")
        for market, rows in _markets(days)
    ]
    hours = pl.concat(found).with_columns(start="hour", end=pl.col("hour") + pl.duration(hours=1))
    return united([conform(hours.with_columns(interval=pl.lit("1h")).select(list(TOUCHED)), TOUCHED)])


def _markets(rows: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    return [(part["market"][0], part) for part in rows.partition_by("market")]
