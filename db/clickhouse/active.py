"""Which instruments of a tenant have prices lately, from the bars of their days."""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from datetime import datetime, timedelta
from typing import Final

import polars as pl

from db.clickhouse.query import Query, instant
from db.clickhouse.rollup import PERIODS, floor
from pipeline.schema import INSTANT, Schema

LATELY: Final = timedelta(days=8)
ACTIVE: Final[Schema] = {"instrument": pl.String(), "newest": INSTANT}  # newest: the start of its newest price
_LOW: Final = "{low:DateTime64(6, 'UTC')}"


def active(tenant: str, now: datetime) -> Query:
    """`ACTIVE` of the instruments with a day that began in the last 8 days, or is to come.

    It reads every row of those days, also one that a later one has taken the place of: a hint, for that is three times
    as fast.
    """
    sql = f"""
        SELECT instrument, max(last_start) AS newest FROM bars
        WHERE tenant = {{tenant:String}} AND `interval` = '1d' AND start >= {_LOW}
            AND period >= {floor(_LOW, str(PERIODS["1d"]))} AND count > 0
        GROUP BY instrument"""
    return Query(sql, {"tenant": tenant, "low": instant(now - LATELY)})
