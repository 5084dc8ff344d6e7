"""Coarser bars from finer ones: which are made of which, in as few statements as may be.

A statement costs as much as the bars of a thousand instruments do, so intervals are made by two at a time. Which bars
an interval is made of is the same in every pass: two passes that race, each with a part of one bar, both store what
they have made of the finer bars before they read what the other has stored of the same ones.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple, cast

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse import rollup, rollup_bars
from db.clickhouse.frames import fetch
from db.clickhouse.keys import add_keys
from db.clickhouse.query import Query, instant
from pipeline.bars import intervals

# Made of these bars where an instrument has them, else of the next finer ones.
_LEAPS: Final = {"5m": "10s", "1h": "5m"}


class Fold(NamedTuple):
    """Keys of the intervals that are made at once, of the bars of `finer`."""

    finer: str
    keys: pl.DataFrame


def folds(keys: pl.DataFrame) -> Iterator[Fold]:
    """The keys (with market and product) of coarser bars as they are made, one after the other."""
    sources = _with_source(keys)
    for finer in rollup.PERIODS:
        found = sources.filter(pl.col("source") == finer).drop("source")
        if not found.is_empty():
            yield Fold(finer, found)


def _source(interval: str, market: str, product: str) -> str:
    """The interval whose bars those of a coarser one are made of."""
    leap = _LEAPS.get(interval)
    return leap if leap in {each.name for each in intervals(market, product)} else rollup.FINER[interval]


def path(interval: str, market: str, product: str) -> list[str]:
    """The intervals by which an instrument's bars of one are made, the finest first; none where it has no such bars."""
    names = [each.name for each in intervals(market, product)]
    found = [interval] if interval in names else []
    while found and found[0] != names[0]:
        found.insert(0, _source(found[0], market, product))
    return found


def add_coarser(client: Client, keys: str, coarser: pl.DataFrame) -> None:
    """Adds the keys of coarser bars, each in the role of what it is made of."""
    add_keys(client, keys, _with_source(coarser), pl.col("source"))


def fold_stored(client: Client, tables: dict[str, str], fold: Fold, touched: pl.DataFrame) -> None:
    """Makes the bars of a fold from the stored ones. `touched`: all keys of the pass."""
    given = tables | _given(fold)
    _run(client, fold, given, made=_made_all(client, touched, fold, given))


def fold_made(client: Client, tables: dict[str, str], coarser: pl.DataFrame) -> None:
    """Makes these bars, one fold after the other, from those that were made."""
    for fold in folds(coarser):
        _run(client, fold, tables | _given(fold), made=True)


def _with_source(keys: pl.DataFrame) -> pl.DataFrame:
    of = ["interval", "market", "product"]
    kinds = keys.select(of).unique()
    found = [_source(*kind) for kind in kinds.iter_rows()]
    return keys.join(kinds.with_columns(pl.Series("source", found, dtype=pl.String)), on=of, maintain_order="left")


def _given(fold: Fold) -> dict[str, object]:
    return {
        "role": fold.finer,
        "finer": fold.finer,
        "width": rollup.PERIODS[fold.finer],
        "intervals": fold.keys["interval"].unique().to_list(),
        "low": instant(cast(datetime, fold.keys["start"].min())),
        "high": instant(cast(datetime, fold.keys["end"].max())),
    }


def _run(client: Client, fold: Fold, given: dict[str, object], *, made: bool) -> None:
    days = (fold.keys["interval"] == "1d").all()
    client.command(rollup_bars.from_finer(one_each=one_each(fold.keys), days=days, made=made), parameters=given)


def _made_all(client: Client, touched: pl.DataFrame, fold: Fold, given: dict[str, object]) -> bool:
    """The stored finer bars of these keys are those that this pass has made, as of a day that comes in one document.

    It is asked after they were stored: what another pass stores later, that one folds itself. And only where the finer
    keys are as long as these: else there are others.
    """
    parts = _length(touched.filter(pl.col("interval") == fold.finer))
    filled = all(parts >= _length(level) for level in fold.keys.partition_by("interval"))
    return filled and bool(fetch(client, Query(rollup_bars.ALL_MADE, given))["yes"][0])


def _length(keys: pl.DataFrame) -> timedelta:
    """Of all keys together."""
    return keys.select((pl.col("end") - pl.col("start")).sum()).item()


def one_each(keys: pl.DataFrame) -> bool:
    """No instrument has two keys of an interval."""
    return keys.select(pl.struct("tenant", "instrument", "interval").n_unique()).item() == keys.height
