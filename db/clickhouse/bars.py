"""The pass: bars of the touched buckets, computed again from what is stored, and the latest prices that follow."""

from datetime import datetime
from typing import Final, cast

import polars as pl
from clickhouse_connect.driver.client import Client

from db.clickhouse import rollup
from db.clickhouse.client import fetch
from db.clickhouse.keys import add_keys, key_table, made_table, with_grace
from db.clickhouse.latest import candidates
from db.clickhouse.query import Query, instant
from pipeline.flags import UNUSABLE

INTERVALS: Final = tuple(rollup.PERIODS)


def run_pass(client: Client, finest: pl.DataFrame, coarser: pl.DataFrame) -> pl.DataFrame:
    """Compute the bars of these keys again, then read the latest prices that they may change.

    `finest` holds the keys whose bars come from ticks (each instrument at its finest stored interval), `coarser` all
    others, which come from the next finer bars; both are `pipeline.bars.TOUCHED`. Every coarser bar that holds a
    finest key must be named. Racing and repeated passes are harmless: of two rows of one bar the one that saw more
    publications stands, and when nothing moves any more, those that saw as many are equal.

    Returns the candidates of `db.clickhouse.latest.candidates`, one row an instrument of `finest`.
    """
    levels = {"ticks": with_grace(finest), "bars": with_grace(coarser)}
    with key_table(client, **levels) as keys:
        for role, store in (("ticks", _from_ticks), ("bars", _from_finer)):
            for interval in INTERVALS:
                level = levels[role].filter(pl.col("interval") == interval)
                if not level.is_empty():
                    store(client, interval, level, {"keys": keys, "role": role, **_bounds(interval, level)})
        return candidates(client, keys)


def _bounds(interval: str, level: pl.DataFrame) -> dict[str, object]:
    return {
        "interval": interval,
        "period": rollup.PERIODS[interval],
        "low": instant(cast(datetime, level["start"].min())),
        "high": instant(cast(datetime, level["end"].max())),
    }


def _from_finer(client: Client, interval: str, level: pl.DataFrame, given: dict[str, object]) -> None:  # noqa: ARG001
    finer = rollup.FINER[interval]
    client.command(rollup.from_finer(), parameters=given | {"finer": finer, "width": rollup.PERIODS[finer]})


def _from_ticks(client: Client, interval: str, level: pl.DataFrame, given: dict[str, object]) -> None:
    given = given | {
        "seconds": rollup.SECONDS[interval],
        "grace_least": level["grace_s"].min(),
        "grace_most": level["grace_s"].max(),
        "unusable": UNUSABLE,
    }
    with made_table(client) as made:
        given |= {"made": made}
        client.command(rollup.from_plain(interval), parameters=given)
        client.command(rollup.STORE_MADE, parameters=given)
        left_out = fetch(client, Query(rollup.LEFT_OUT, given))
    if not left_out.is_empty():
        again = level.join(left_out, on=["tenant", "instrument", "start"], how="semi")
        add_keys(client, str(given["keys"]), again, "replayed")
        client.command(rollup.from_replay(interval), parameters=given | {"role": "replayed"})
