"""The pass: bars of the touched buckets, computed again from what is stored, and the latest prices that follow."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final, NamedTuple, Protocol, cast

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse import rollup, rollup_ticks
from db.clickhouse.changes import states
from db.clickhouse.folds import add_coarser, fold_stored, folds, one_each
from db.clickhouse.frames import fetch
from db.clickhouse.keys import add_keys, key_table, made_table, with_grace
from db.clickhouse.latest import candidates, newest_bars
from db.clickhouse.query import Query, instant
from pipeline.bars import by_end, coarser, count
from pipeline.flags import UNUSABLE

INTERVALS: Final = tuple(rollup.PERIODS)


class _Statements(Protocol):
    def __call__(self, interval: str, *, one_each: bool, known: bool = False) -> Sequence[str]: ...


class _Part(NamedTuple):
    """Keys whose bars are made by the same statements."""

    role: str
    keys: pl.DataFrame
    statements: _Statements


Offer = Callable[[pl.DataFrame], None]


def run_pass(client: Client, touched: pl.DataFrame, offer: Offer) -> pl.DataFrame:
    """Compute the bars of these keys (`pipeline.bars.TOUCHED`: each instrument at its finest stored interval) again,
    and every coarser bar that holds one; `db.clickhouse.changes.STATE` of those that were made.

    `offer` gets the latest prices that they may change (`db.clickhouse.latest.candidates`), once: when the finest bars
    are stored, and only where a price follows from coarser ones when all are.

    Finest bars come from ticks, all others from finer bars (`db.clickhouse.folds`). Racing and repeated passes are
    harmless: of two rows of one bar the one that saw more publications stands, and when nothing moves any more, those
    that saw as many are equal.
    """
    finest = with_grace(touched)
    with key_table(client, ticks=finest) as keys, made_table(client) as made, ThreadPoolExecutor(1) as beside:
        tables = {"keys": keys, "made": made}
        rest = beside.submit(_add_coarser, client, keys, touched)
        newest, prices = _finest(client, tables, finest)
        if prices is not None:
            offer(prices)
        touched = pl.concat([finest, rest.result()])
        for fold in folds(rest.result()):
            fold_stored(client, tables, fold, touched)
            _store(client, tables, fold.keys, touched, fold.finer)
        if prices is None:
            offer(candidates(client, keys, newest))
        return states(client, made)


def _add_coarser(client: Client, keys: str, touched: pl.DataFrame) -> pl.DataFrame:
    """Adds the keys of the coarser bars; they are not needed before the finest are made."""
    found = with_grace(coarser(touched))
    add_coarser(client, keys, found)
    return found


def _finest(client: Client, tables: dict[str, str], keys: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Makes the finest bars, and finds the newest ones and the latest prices while they are stored. No prices where
    one would follow from coarser bars."""
    with ThreadPoolExecutor(1) as beside:
        make_finest(client, tables, keys)
        stored = beside.submit(_store, client, tables, keys, keys, "ticks")
        newest = newest_bars(client, tables["keys"], tables["made"])
        prices = candidates(client, tables["keys"], newest) if _all_alive(newest) else None
        stored.result()
    return newest, prices


def _all_alive(newest: pl.DataFrame) -> bool:
    """None of the bars is a tombstone."""
    return bool((newest["count"] > 0).all())


def make_finest(client: Client, tables: dict[str, str], keys: pl.DataFrame) -> None:
    """Makes the bars of the role `ticks` from publications, an interval after the other; from those known at an instant
    where `known` is among the tables."""
    for interval, level in _levels(keys):
        _from_ticks(client, interval, level, {**tables, "role": "ticks", **_bounds(interval, level)})


def _store(client: Client, tables: dict[str, str], keys: pl.DataFrame, every: pl.DataFrame, role: str) -> None:
    """Stores the bars that were made of a role's keys. `every`: the keys that share their table."""
    intervals = keys["interval"].unique()
    alone = every["interval"].is_in(intervals.implode()).sum() == keys.height
    statement = rollup.STORE if alone else rollup.STORE_OF_ROLE
    client.command(statement, parameters={**tables, "role": role, "intervals": intervals.to_list()})


def _levels(keys: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    for interval in INTERVALS:
        level = keys.filter(pl.col("interval") == interval)
        if not level.is_empty():
            yield interval, level


def _bounds(interval: str, level: pl.DataFrame) -> dict[str, object]:
    return {
        "interval": interval,
        "low": instant(cast(datetime, level["start"].min())),
        "high": instant(cast(datetime, level["end"].max())),
    }


def _from_ticks(client: Client, interval: str, level: pl.DataFrame, given: dict[str, object]) -> None:
    given = given | {
        "seconds": rollup.SECONDS[interval],
        "grace_least": level["grace_s"].min(),
        "grace_most": level["grace_s"].max(),
        "unusable": UNUSABLE,
    }
    ended = by_end(level)
    parts = (
        _Part("begun", level.filter(~ended), rollup_ticks.statements),
        _Part("ended", level.filter(ended), rollup_ticks.statements_by_end),
    )
    if any(part.keys.is_empty() for part in parts):
        _make_part(client, interval, given, max(parts, key=lambda part: part.keys.height))
        return
    for part in parts:
        add_keys(client, str(given["keys"]), part.keys, part.role)
    with ThreadPoolExecutor(len(parts)) as beside:  # each keeps one core busy
        makings = [beside.submit(_make_part, client, interval, given | {"role": part.role}, part) for part in parts]
        for making in makings:
            making.result()


def _make_part(client: Client, interval: str, given: dict[str, object], part: _Part) -> None:
    """Each statement for the keys that those before it have left out, until all bars are made."""
    of, known = given, "known" in given
    for number, statement in enumerate(part.statements(interval, one_each=one_each(part.keys), known=known)):
        if number:
            left = f"{of['role']}_left_{number}"
            client.command(rollup_ticks.LEAVE, parameters=given | {"left": left})
            given = given | {"role": left}
        client.command(statement, parameters=given)
        if fetch(client, Query(rollup_ticks.MADE, of))["n"][0] == count(part.keys):
            return
