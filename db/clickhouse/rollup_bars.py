"""The SQL of bars from finer bars; see `db.clickhouse.rollup`.

The role of keys is the interval of the bars that theirs are made of (`db.clickhouse.folds`).
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from typing import Final

from db.clickhouse.rollup import (
    FINER_PERIODS,
    HEAD,
    HEAD_US,
    OF_ROLE,
    RANGE,
    SECONDS,
    VERSION_UNIT,
    by_interval,
    exact,
    floor,
    make,
    micros,
)

FOLD: Final = f"""
    SELECT p.tenant AS tenant, p.instrument AS instrument, k.grace_s AS grace_s,
        sum(bitAnd(p.ver, {VERSION_UNIT - 1})) AS seen, sum(p.count) AS used,
        argMinIf(p.open, p.first_start, p.count > 0) AS opened, argMaxIf(p.close, p.last_start, p.count > 0) AS closed,
        maxIf(p.high, p.count > 0) AS highest, minIf(p.low, p.count > 0) AS lowest,
        countIf(p.volume IS NOT NULL) AS with_volume,
        sum(reinterpretAsInt128(ifNull(p.volume, toDecimal128(0, 9)))) AS quantities, sum(p.pv) AS price_volume,
        minIf(p.first_start, p.count > 0) AS first_at, maxIf(p.last_start, p.count > 0) AS last_at,
        argMaxIf(p.last_ts, p.last_start, p.count > 0) AS closing_ts,
        groupBitOr(p.flags) AS all_flags, sum(p.corrections) AS corrected, max(p.updated_at) AS changed,
        sumMap(p.late_at, p.late_n) AS lateness, lateness.1 AS late, lateness.2 AS late_counts,
        sum(p.late_sure) AS later,
        arraySort(t -> t.1, groupArrayIf((
            {micros("p.last_start")}, reinterpretAsInt64(p.close), p.last_hold_us, {micros("p.first_start")}),
            p.count > 0)) AS ticks,
        ticks[-1].3 AS closing_hold, sum(p.integral_head) + {HEAD} AS head,
        sum(p.covered_head_us) + {HEAD_US} AS head_us"""


# Columns of the sorting key alone, so that they may be looked at before the others are read, and before FINAL.
# Three small sets for the primary key, and a hash of the three instead of the tuple, which costs twice as much;
# whatever else they let pass finds no key in the end.
_OF_KEYS: Final = f"""
    `interval` = {{finer:String}} AND {RANGE}
    AND tenant IN (SELECT tenant {OF_ROLE}) AND instrument IN (SELECT instrument {OF_ROLE})
    AND period IN (SELECT {FINER_PERIODS} {OF_ROLE})
    AND cityHash64(instrument, period, tenant) IN (SELECT cityHash64(instrument, {FINER_PERIODS}, tenant) {OF_ROLE})"""
_MADE: Final = "FROM {made:Identifier} WHERE `interval` = {finer:String}"
_FINER: Final = {True: f"SELECT * {_MADE}", False: f"SELECT * FROM bars FINAL PREWHERE {_OF_KEYS}"}

# Whether the stored finer bars are those that this pass has made, one by one.
_WHICH: Final = "(count(), sum(cityHash64(instrument, start, ver, tenant)))"
ALL_MADE: Final = f"SELECT (SELECT {_WHICH} FROM bars WHERE {_OF_KEYS}) = (SELECT {_WHICH} {_MADE}) AS yes"


# A day is a key of its own, for its borders are the zone's; all other bars lie on the grid.
_SECONDS: Final = by_interval("k.into", SECONDS)
_BORDERS: Final = {
    True: "k.opens AS start, k.closes AS `end`",
    False: f"{exact(floor('p.start', _SECONDS))} AS start, start + toIntervalSecond({_SECONDS}) AS `end`",
}


def from_finer(*, one_each: bool, days: bool, made: bool) -> str:
    """Bars of the intervals `{intervals:Array(String)}` (`days`: of `1d` alone) from stored bars of `{finer:String}`.

    `one_each`: no instrument has two keys of an interval, which spares an ordered join. `made`: there are no other
    stored ones than those that this pass has made, so that they need not be read.
    """
    kind, before = ("INNER", "") if one_each else ("ASOF INNER", "AND p.start >= k.opens")
    return make(f"""
        {FOLD}, k.into AS `interval`, {_BORDERS[days]}
        FROM (SELECT *, arrayJoin({{intervals:Array(String)}}) AS into FROM ({_FINER[made]})) AS p
        {kind} JOIN (
            SELECT tenant, instrument, `interval` AS into, start AS opens, `end` AS closes, grace_s {OF_ROLE}) AS k
        ON p.tenant = k.tenant AND p.instrument = k.instrument AND p.into = k.into {before}
        WHERE p.start >= k.opens AND p.start < k.closes
        GROUP BY tenant, instrument, `interval`, start, `end`, grace_s""")
