"""The SQL of an instrument's finest bars, from stored publications; see `db.clickhouse.rollup`.

Three statements, each for what the one before has left out: bars of a single publication, bars whose publications are
all of identities of their own, and bars whose publications must be replayed. Products `by_end` have two of their own.
The last one of each alone gives every bar: as things were `known` at an instant, it is the only one.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from typing import Final

from db.clickhouse import current
from db.clickhouse.rollup import (
    HEAD,
    HEAD_US,
    KEYS,
    LONGEST_S,
    RANGE,
    STAMP_MARGIN_S,
    STREAM,
    exact,
    floor,
    make,
    micros,
    steps,
)

_STAMPED: Final = (
    f"ts >= {{low:DateTime64(6, 'UTC')}} - {STAMP_MARGIN_S} AND ts < {{high:DateTime64(6, 'UTC')}} + {STAMP_MARGIN_S}"
)
WITHIN: Final = f"{RANGE} AND {_STAMPED}"

_HOLD: Final = f"greatest(0, ifNull({micros('hold_end')} - {micros('start')}, 0))"
_HOLDS: Final = f"""
    arraySort(t -> (t.1, t.5), groupArrayIf((
        {micros("start")}, reinterpretAsInt64(price),
        {_HOLD}, {micros("start")}, ts), counts)) AS ticks,
    ticks[-1].3 AS closing_hold, {HEAD} AS head, {HEAD_US} AS head_us"""

# No generic tick names a document product: `CLOSING` without what is the same for all documents, as one number,
# which compares ten times as fast as a tuple.
_DOCUMENT_ORDER: Final = f"bitShiftLeft(toUInt128({micros('start')}), 64) + {micros('ts')}"

# A stream tick does not hold: its bars have no twap.
_NO_HOLDS: Final = "toInt64(0) AS closing_hold, toInt128(0) AS head, toInt64(0) AS head_us"

# Identities known late: those that count in every coarser bar too, and the instants of the others.
_MAYBE_LATE: Final = f"""first_known > bucket + {{seconds:UInt32}} + {{grace_least:UInt32}}
        AND first_known <= bucket + {LONGEST_S} + {{grace_most:UInt32}}"""
_SURELY_LATE: Final = f"first_known > bucket + {LONGEST_S} + {{grace_most:UInt32}}"
_LATE: Final = f"""
    sumMapIf([first_known], [toUInt64(1)], {_MAYBE_LATE}) AS lateness, lateness.1 AS late, lateness.2 AS late_counts,
    countIf({_SURELY_LATE}) AS later"""


_BUCKET: Final = floor("start", "{seconds:UInt32}")


def _partial(counted: str, order: str, holds: str) -> str:
    """Bars of identities, before their keys are joined; `order` tells the first and the last tick."""
    return f"""
    SELECT tenant, instrument, bucket, sum(weight) AS seen, countIf(counts) AS used,
        argMinIf(price, {order}, counts) AS opened, argMaxIf(price, {order}, counts) AS closed,
        maxIf(price, counts) AS highest, minIf(price, counts) AS lowest,
        countIf(counts AND volume IS NOT NULL) AS with_volume, sumIf(toInt128(quantity), counts) AS quantities,
        sumIf(toInt256(toInt128(reinterpretAsInt64(price)) * quantity), counts) AS price_volume,
        minIf(start, counts) AS first_at, maxIf(start, counts) AS last_at, argMaxIf(ts, {order}, counts) AS closing_ts,
        groupBitOrIf(flags, counts) AS all_flags, sum(corrections) AS corrected, max(updated_at) AS changed,
        {_LATE}, {holds}
    FROM ({counted}) GROUP BY tenant, instrument, bucket"""


def _alone(rows: str, also: str = "") -> str:
    """The same, of the bars that hold one publication only: nothing to order, nothing to sum, and no groups.

    All reads of the table see one state of it. A bar that shares its hash with another is left to the next statement.
    """
    return f"""
    SELECT tenant, instrument, bucket, weight AS seen, toUInt64(counts) AS used,
        if(counts, price, toDecimal64(0, 9)) AS opened, opened AS closed, opened AS highest, opened AS lowest,
        counts AND volume IS NOT NULL AS with_volume, toInt128(if(counts, quantity, 0)) AS quantities,
        toInt256(if(counts, toInt128(reinterpretAsInt64(price)) * quantity, 0)) AS price_volume,
        start AS first_at, start AS last_at, ts AS closing_ts,
        if(counts, flags, 0) AS all_flags, toUInt64(0) AS corrected, updated_at AS changed,
        if({_MAYBE_LATE}, [first_known], []) AS late, arrayMap(t -> toUInt64(1), late) AS late_counts,
        toUInt64({_SURELY_LATE}) AS later,
        if(counts, {_HOLD}, 0) AS closing_hold, toInt128(0) AS head, toInt64(0) AS head_us
    FROM ({_counted(current.single(rows, current.BAR_COLUMNS))})
    WHERE cityHash64(tenant, instrument, bucket) NOT IN (
        SELECT cityHash64(tenant, instrument, {_BUCKET}) AS bar {current.stored(rows)}
        GROUP BY bar HAVING count() > 1) {also}"""


def _counted(identities: str) -> str:
    return f"""
    SELECT *, {current.usable()} AS counts, {_BUCKET} AS bucket,
        reinterpretAsInt64(ifNull(volume, toDecimal64(0, 9))) AS quantity
    FROM ({identities})"""


def _moving(identities: str) -> str:
    """The same, of identities that have begun in `buckets`: seen in each of them, and in the one of today."""
    here, never = f"bucket = {_BUCKET}", "toDateTime64(0, 6, 'UTC')"
    return f"""
    SELECT * REPLACE (
            if({here}, corrections, 0) AS corrections, if({here}, first_known, {never}) AS first_known,
            if({here}, updated_at, {never}) AS updated_at),
        {here} AND {current.usable()} AS counts, reinterpretAsInt64(ifNull(volume, toDecimal64(0, 9))) AS quantity
    FROM (SELECT *, arrayJoin(buckets) AS bucket FROM ({identities}))"""


def _keyed(partial: str, *, one_each: bool) -> str:
    """Partial bars of the keys, with start, end and grace. `one_each`: no instrument has two keys."""
    kind, of = ("INNER", "tenant, instrument") if one_each else ("ASOF INNER", "tenant, instrument, start")
    opens = "opens" if one_each else "start"
    return f"""
    SELECT *, {{interval:String}} AS `interval`, start + {{seconds:UInt32}} AS `end`
    FROM (SELECT *, {exact("bucket")} AS start FROM ({partial})) AS b
    {kind} JOIN (SELECT tenant, instrument, start AS {opens}, `end` AS closes, grace_s {KEYS}) AS k USING ({of})
    WHERE b.start >= k.{opens} AND b.start < k.closes"""


def touched(interval: str, within: str = WITHIN) -> str:
    """The condition that a publication may lie in a bar of the keys.

    A stream tick's bucket is its bar; documents lie in days, and their stamps may lie beside their interval.
    """
    bucket = steps("start", "`end`", "10")
    if interval != STREAM:
        bucket = steps(f"toStartOfDay(start - {STAMP_MARGIN_S})", f"`end` + {STAMP_MARGIN_S}", "86400")
    # Three small sets for the primary key, and a hash of the three instead of the tuple, which costs twice as much;
    # whatever else it lets pass finds no key in the end.
    return f"""{within} AND tenant IN (SELECT tenant {KEYS}) AND instrument IN (SELECT instrument {KEYS})
        AND bucket IN (SELECT {bucket} {KEYS})
        AND cityHash64(instrument, bucket, tenant) IN (SELECT cityHash64(instrument, {bucket}, tenant) {KEYS})"""


# No two publications of the bar share an instant: then none is of the same identity, and their instants order them.
_PLAIN: Final = "count() = arrayUniq(groupArray(ts))"

MADE: Final = f"""
    SELECT count() AS n FROM {{made:Identifier}} WHERE `interval` = {{interval:String}}
    AND (tenant, instrument) IN (SELECT tenant, instrument {KEYS})"""
LEAVE: Final = f"""
    INSERT INTO {{keys:Identifier}} (tenant, instrument, `interval`, start, `end`, grace_s, role)
    SELECT tenant, instrument, `interval`, at, at + {{seconds:UInt32}}, grace_s, {{left:String}}
    FROM (SELECT *, {exact(steps("start", "`end`", "{seconds:UInt32}"))} AS at {KEYS})
    WHERE (tenant, instrument, at) NOT IN (
        SELECT tenant, instrument, start FROM {{made:Identifier}} WHERE `interval` = {{interval:String}})"""
"""Names the buckets of the keys that were not made yet as keys of the role `left`."""


def from_single(interval: str, *, one_each: bool) -> str:
    """Bars of the keys that hold one publication; of documents only, a stream's bars hold many."""
    return make(_keyed(_alone(touched(interval)), one_each=one_each))


def from_plain(interval: str, *, one_each: bool) -> str:
    """Bars of the keys whose publications need no replay.

    Whether a bar needs it is seen in the same state of the table that the bar is made of: what was made, and nothing
    else, tells which ones were left out.
    """
    order = "start" if interval == STREAM else _DOCUMENT_ORDER
    plain = current.single(touched(interval), current.BAR_COLUMNS)
    partial = _partial(_counted(plain), order, _holds(interval)) + f" HAVING {_PLAIN}"
    return make(_keyed(partial, one_each=one_each))


def from_replay(interval: str, *, one_each: bool, known: bool = False) -> str:
    """Bars of the keys with every publication replayed, or with those `known` at an instant."""
    identities = current.replayed(current.known_by(touched(interval), bounded=known), current.BAR_COLUMNS)
    order = current.CLOSING if interval == STREAM else _DOCUMENT_ORDER
    return make(_keyed(_partial(_counted(identities), order, _holds(interval)), one_each=one_each))


def statements(interval: str, *, one_each: bool, known: bool = False) -> tuple[str, ...]:
    """The statements of an interval in order, each for what those before it have left out."""
    if known:
        return (from_replay(interval, one_each=one_each, known=True),)
    first = () if interval == STREAM else (from_single(interval, one_each=one_each),)
    plain = from_plain(interval, one_each=one_each and not first)
    return (*first, plain, from_replay(interval, one_each=False))


def from_lasting(interval: str, *, one_each: bool) -> str:
    """Bars of the keys that hold one publication, which is its identity's only one, of products `by_end`."""
    once = f"""AND cityHash64(tenant, instrument, ts) NOT IN (
        SELECT cityHash64(tenant, instrument, ts) AS identity {current.stored(touched(interval, _STAMPED))}
        GROUP BY identity HAVING count() > 1)"""
    return make(_keyed(_alone(touched(interval), once), one_each=one_each))


def from_moving(interval: str, *, known: bool = False) -> str:
    """The same, wherever a publication begins."""
    where = current.known_by(touched(interval, _STAMPED), bounded=known)
    identities = current.replayed(where, current.BAR_COLUMNS, f"groupUniqArray({_BUCKET}) AS buckets")
    return make(_keyed(_partial(_moving(identities), _DOCUMENT_ORDER, _HOLDS), one_each=False))


def statements_by_end(interval: str, *, one_each: bool, known: bool = False) -> tuple[str, ...]:
    """The same of products `by_end`: what begins in one bar may begin in another when it comes again."""
    if known:
        return (from_moving(interval, known=True),)
    return (from_lasting(interval, one_each=one_each), from_moving(interval))


def _holds(interval: str) -> str:
    return _NO_HOLDS if interval == STREAM else _HOLDS
