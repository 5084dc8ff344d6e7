"""The pass: bars of the touched buckets, computed again from what is stored, and the latest prices that follow."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Final, cast

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse import rollup, rollup_bars, rollup_ticks
from db.clickhouse.changes import states
from db.clickhouse.frames import fetch
from db.clickhouse.keys import add_keys, key_table, made_table, with_grace
from db.clickhouse.latest import candidates, newest_bars
from db.clickhouse.query import Query, instant
from pipeline.bars import by_end, count
from pipeline.flags import UNUSABLE

INTERVALS: Final = tuple(rollup.PERIODS)


Offer = Callable[[pl.DataFrame], None]
_Compute = Callable[[Client, str, pl.DataFrame, dict[str, object]], None]


def run_pass(client: Client, finest: pl.DataFrame, coarser: pl.DataFrame, offer: Offer) -> pl.DataFrame:
    """Compute the bars of these keys again; `db.clickhouse.changes.STATE` of those that were made.

    `offer` gets the latest prices that they may change (`db.clickhouse.latest.candidates`), once: when the finest bars
    are stored, and only where a price follows from coarser ones when all are.

    `finest` holds the keys whose bars come from ticks (each instrument at its finest stored interval), `coarser` all
    others, which come from the next finer bars; both are `pipeline.bars.TOUCHED`. Every coarser bar that holds a
    finest key must be named. Racing and repeated passes are harmless: of two rows of one bar the one that saw more
    publications stands, and when nothing moves any more, those that saw as many are equal.
    """
    levels = {"ticks": with_grace(finest), "bars": with_grace(coarser)}
    fold = partial(_from_finer, pl.concat(levels.values()))
    with key_table(client, **levels) as keys, made_table(client) as made:
        tables = {"keys": keys, "made": made}
        newest, prices = _finest(client, tables, levels["ticks"])
        if prices is not None:
            offer(prices)
        for _, level in _levels(levels["bars"]):
            make(client, tables | {"role": "bars"}, level, fold)
            _store(client, tables, level)
        if prices is None:
            offer(candidates(client, keys, newest))
        return states(client, made)


def _finest(client: Client, tables: dict[str, str], keys: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Makes the finest bars, and finds the newest ones and the latest prices while they are stored. No prices where
    one would follow from coarser bars."""
    with ThreadPoolExecutor(1) as beside:
        make(client, tables | {"role": "ticks"}, keys, from_ticks)
        stored = beside.submit(_store, client, tables, keys)
        newest = newest_bars(client, tables["keys"], tables["made"])
        prices = candidates(client, tables["keys"], newest) if _all_alive(newest) else None
        stored.result()
    return newest, prices


def _all_alive(newest: pl.DataFrame) -> bool:
    """None of the bars is a tombstone."""
    return bool((newest["count"] > 0).all())


def make(client: Client, tables: dict[str, str], keys: pl.DataFrame, compute: _Compute) -> None:
    """Makes the bars of a role's keys, an interval after the other."""
    for interval, level in _levels(keys):
        compute(client, interval, level, {**tables, **_bounds(interval, level)})


def _store(client: Client, tables: dict[str, str], keys: pl.DataFrame) -> None:
    """Stores the bars that were made of the intervals of these keys."""
    for interval, _ in _levels(keys):
        client.command(rollup.STORE, parameters={**tables, "interval": interval})


def _levels(keys: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    for interval in INTERVALS:
        level = keys.filter(pl.col("interval") == interval)
        if not level.is_empty():
            yield interval, level


def _bounds(interval: str, level: pl.DataFrame) -> dict[str, object]:
    return {
        "interval": interval,
        "period": rollup.PERIODS[interval],
        "low": instant(cast(datetime, level["start"].min())),
        "high": instant(cast(datetime, level["end"].max())),
    }


def _from_finer(
    touched: pl.DataFrame, client: Client, interval: str, level: pl.DataFrame, given: dict[str, object]
) -> None:
    """`touched`: all keys of the pass."""
    given = given | _finer(interval)
    made = _made_all(client, touched.filter(pl.col("interval") == given["finer"]), level, given)
    _fold(client, interval, level, given, made=made)


def from_made(client: Client, interval: str, level: pl.DataFrame, given: dict[str, object]) -> None:
    """Bars of the keys from the made bars of the next finer interval."""
    _fold(client, interval, level, given | _finer(interval), made=True)


def _finer(interval: str) -> dict[str, object]:
    finer = rollup.FINER[interval]
    return {"finer": finer, "width": rollup.PERIODS[finer], "seconds": rollup.SECONDS.get(interval, 0)}


def _fold(client: Client, interval: str, level: pl.DataFrame, given: dict[str, object], *, made: bool) -> None:
    statement = rollup_bars.from_finer(one_each=_one_each(level), days=interval == "1d", made=made)
    client.command(statement, parameters=given)


def _made_all(client: Client, parts: pl.DataFrame, level: pl.DataFrame, given: dict[str, object]) -> bool:
    """The stored finer bars of these keys are those that this pass has made, as of a day that comes in one document.

    It is asked after they were stored: what another pass stores later, that one folds itself. And only where the finer
    keys are as long as these: else there are others.
    """
    filled = _length(parts) >= _length(level)
    return filled and bool(fetch(client, Query(rollup_bars.ALL_MADE, given))["yes"][0])


def _length(keys: pl.DataFrame) -> timedelta:
    """Of all keys together."""
    return keys.select((pl.col("end") - pl.col("start")).sum()).item()


def from_ticks(client: Client, interval: str, level: pl.DataFrame, given: dict[str, object]) -> None:
    """Bars of the keys from publications; from those known at an instant where `known` is given."""
    known = "known" in given
    given = given | {
        "seconds": rollup.SECONDS[interval],
        "grace_least": level["grace_s"].min(),
        "grace_most": level["grace_s"].max(),
        "unusable": UNUSABLE,
    }
    ended, wanted = by_end(level), 0
    for role, part, statements in (
        ("begun", level.filter(~ended), rollup_ticks.statements),
        ("ended", level.filter(ended), rollup_ticks.statements_by_end),
    ):
        if part.is_empty():
            continue
        if part.height < level.height:
            add_keys(client, str(given["keys"]), part, role)
            given = given | {"role": role}
        wanted += count(part)
        _in_turn(client, given, statements(interval, one_each=_one_each(part), known=known), wanted)


def _in_turn(client: Client, given: dict[str, object], statements: Sequence[str], wanted: int) -> None:
    """Each statement for the keys that those before it have left out, until so many bars are made."""
    role = given["role"]
    for number, statement in enumerate(statements):
        if number:
            left = f"{role}_left_{number}"
            client.command(rollup_ticks.LEAVE, parameters=given | {"left": left})
            given = given | {"role": left}
        client.command(statement, parameters=given)
        if fetch(client, Query(rollup_ticks.MADE, given))["n"][0] == wanted:
            return


def _one_each(level: pl.DataFrame) -> bool:
    """No instrument has two keys."""
    return level.select(pl.struct("tenant", "instrument").n_unique()).item() == level.height
