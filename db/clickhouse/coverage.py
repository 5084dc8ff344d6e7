"""What completeness reads: the prices that are there of one instrument, and how many there are of whole products."""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from db.clickhouse import current
from db.clickhouse.query import Query, instant
from db.clickhouse.rollup import PERIODS, floor
from pipeline.blocks import NAMED
from pipeline.flags import UNUSABLE

_LOW: Final = "{low:DateTime64(6, 'UTC')}"
_HIGH: Final = "{high:DateTime64(6, 'UTC')}"
_ONE: Final = "tenant = {tenant:String} AND instrument = {instrument:String}"
_HELD_COLUMNS: Final = ("start", "hold_end", "flags")

# `market.product.` at the beginning of an instrument of a document.
_SPACE: Final = "substring(instrument, 1, position(instrument, '.', position(instrument, '.') + 1))"
_IN_ALL_HOURS: Final = "NOT match(instrument, {block:String})"
_WEEK: Final = timedelta(days=8)
_TWO_DAYS: Final = timedelta(hours=48)


def held(tenant: str, name: str, start: datetime, end: datetime) -> Query:
    """`pipeline.expected.HELD` of a document's instrument: usable prices whose published instant is in [start, end)."""
    where = f"{_ONE} AND ts >= {_LOW} AND ts < {_HIGH} AND bucket >= toStartOfDay({_LOW}) AND bucket < {_HIGH}"
    sql = f"""
        SELECT ts, start, hold_end FROM ({current.replayed(where, _HELD_COLUMNS)})
        WHERE {current.usable()} ORDER BY start, ts"""
    span = {"low": instant(start), "high": instant(end)}
    return Query(sql, {"tenant": tenant, "instrument": name, "unusable": UNUSABLE, **span})


def extent(tenant: str, name: str) -> Query:
    """One row: the starts of the `first` and the `last` usable price of an instrument, and since when it is as it is
    (`changed`); nulls where it has none."""
    sql = f"""
        SELECT minOrNull(first_start) AS first, maxOrNull(last_start) AS last, maxOrNull(updated_at) AS changed
        FROM bars FINAL WHERE {_ONE} AND `interval` = '1d' AND count > 0"""
    return Query(sql, {"tenant": tenant, "instrument": name})


def products_of_documents(spaces: Sequence[str], now: datetime) -> Query:
    """A row for each of the products (`space`: `market.product.`) with a price of the last 8 days, or of the next ones.

    `newest`: the newest start; `instruments`: how many had a price that began in the last 48 hours (where none had: in
    the 8 days), those of a block of hours left out.
    """
    sql = f"""
        SELECT {_SPACE} AS space, max(last_start) AS newest,
            uniqExactIf((tenant, instrument), recent AND whole) AS lately,
            if(lately > 0, lately, uniqExactIf((tenant, instrument), whole)) AS instruments
        FROM (SELECT *, last_start >= {{recent:DateTime64(6, 'UTC')}}
                AND first_start <= {{now:DateTime64(6, 'UTC')}} AS recent, {_IN_ALL_HOURS} AS whole
            FROM bars FINAL WHERE `interval` = '1d' AND start >= {_LOW} AND start < {_HIGH}
                AND period >= {floor(_LOW, str(PERIODS["1d"]))} AND period < {_HIGH}
                AND count > 0)
        WHERE has({{spaces:Array(String)}}, space) GROUP BY space ORDER BY space"""
    span = {"low": now - _WEEK, "recent": now - _TWO_DAYS, "now": now, "high": now + _WEEK}
    instants = {name: instant(at) for name, at in span.items()}
    return Query(sql, {"spaces": list(spaces), "block": NAMED, **instants})


def known(space: str, interval: str, newest: datetime) -> Query:
    """One row, `known`: when the newest change became known of a product's bars of its finest interval that hold an
    instant; null where there is none."""
    sql = f"""
        SELECT maxOrNull(updated_at) AS known FROM bars FINAL
        WHERE `interval` = {{interval:String}} AND period = {floor(_LOW, str(PERIODS[interval]))}
            AND startsWith(instrument, {{space:String}}) AND start <= {_LOW} AND `end` > {_LOW} AND count > 0"""
    return Query(sql, {"space": space, "interval": interval, "low": instant(newest)})


def counts(space: str, interval: str, start: datetime, end: datetime) -> Query:
    """How many instruments of a product (over all tenants) have a price in each interval that begins in [start, end):
    `start`, `instruments`. Those that are priced in a block of hours are left out."""
    width = PERIODS[interval]
    sql = f"""
        SELECT start, count() AS instruments FROM bars FINAL
        WHERE `interval` = {{interval:String}} AND period >= {floor(_LOW, str(width))} AND period < {_HIGH}
            AND startsWith(instrument, {{space:String}}) AND start >= {_LOW} AND start < {_HIGH} AND count > 0
            AND {_IN_ALL_HOURS}
        GROUP BY start ORDER BY start"""
    span = {"low": instant(start), "high": instant(end)}
    return Query(sql, {"space": space, "interval": interval, "block": NAMED, **span})


def streams(since: datetime, until: datetime) -> Query:
    """The streams with a price known since an instant and begun before another: `market`, `product`, `newest`, `known`
    and `instruments`."""
    sql = f"""
        SELECT market, product, max(start) AS newest, max(known_at) AS known,
            uniqExact(tenant, instrument) AS instruments
        FROM ticks WHERE source_rank = 1 AND {current.usable()} AND ts >= {_LOW} AND ts < {_HIGH}
            AND bucket >= {_LOW} - 10 AND bucket < {_HIGH}
        GROUP BY market, product ORDER BY market, product"""
    return Query(sql, {"low": instant(since), "high": instant(until), "unusable": UNUSABLE})
