"""The SQL of bars: from stored publications, and from finer bars.

The keys of a pass stand in a table of their own, `{keys:Identifier}` (`db.clickhouse.keys`); every statement takes the
keys of one `role` and `interval` from it, and `low`, `high`: bounds of their starts and ends.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from typing import Final

from db.clickhouse import current

# A bar's row version: this number times 2^40, plus its count of distinct publications.
# Raise it when the meaning of a bar changes, so that recomputed bars win over stored ones.
RULE_VERSION: Final = 1
VERSION_UNIT: Final = 2**40

STREAM: Final = "10s"
FINER: Final = {"1m": "10s", "5m": "1m", "15m": "5m", "1h": "15m", "1d": "1h"}
SECONDS: Final = {"10s": 10, "1m": 60, "5m": 300, "15m": 900, "1h": 3600}

# Width of `bars.period`: a coarser bar's parts, and little else, lie together.
PERIODS: Final = {"10s": 60, "1m": 3600, "5m": 10_800, "15m": 21_600, "1h": 86_400, "1d": 32 * 86_400}

# How far an exchange's instant may lie from its interval's start (NYISO stamps the end of five minutes).
STAMP_MARGIN_S: Final = 900

# The longest time from the start of a part to the end of any bar that holds it: a day of 25 hours.
_LONGEST_S: Final = 25 * 3600

COLUMNS: Final = (
    "tenant, `interval`, period, instrument, start, `end`, open, high, low, close, volume, pv, first_start, "
    "last_start, last_ts, last_hold_us, integral_head, covered_head_us, count, flags, corrections, late_sure, "
    "late_at, late_n, updated_at, ver"
)

_KEYS: Final = "FROM {keys:Identifier} WHERE role = {role:String} AND `interval` = {interval:String}"
_RANGE: Final = "start >= {low:DateTime64(6, 'UTC')} AND start < {high:DateTime64(6, 'UTC')}"
_WITHIN: Final = (
    f"{_RANGE} AND ts >= {{low:DateTime64(6, 'UTC')}} - {STAMP_MARGIN_S} "
    f"AND ts < {{high:DateTime64(6, 'UTC')}} + {STAMP_MARGIN_S}"
)


def micros(instant: str) -> str:
    """An expression: microseconds since 1970."""
    return f"toUnixTimestamp64Micro({instant})"


def floor(instant: str, seconds: str) -> str:
    """An expression: the instant's bucket of so many seconds since 1970, as `DateTime`."""
    return f"toDateTime(intDiv({micros(instant)}, {seconds} * 1000000) * {seconds}, 'UTC')"


# Every tick of a bar but the last holds until the next one's start, its own end or never (0 us), whichever is first.
# `ticks` are (start us, price, hold us, first start us, …) in order; a finer bar stands for its closing tick, and the
# fourth says when its first one came.
_HELD: Final = "least(b.4 - a.1, a.3)"
_HEAD: Final = f"arraySum(arrayMap((a, b) -> toInt128(a.2) * {_HELD}, arrayPopBack(ticks), arrayPopFront(ticks)))"
_HEAD_US: Final = f"arraySum(arrayMap((a, b) -> {_HELD}, arrayPopBack(ticks), arrayPopFront(ticks)))"

_HOLDS: Final = f"""
    arraySort(t -> (t.1, t.5), groupArrayIf((
        {micros("start")}, reinterpretAsInt64(price),
        greatest(0, ifNull({micros("hold_end")} - {micros("start")}, 0)), {micros("start")}, ts), counts)) AS ticks,
    ticks[-1].3 AS closing_hold, {_HEAD} AS head, {_HEAD_US} AS head_us"""

# No generic tick names a document product: `CLOSING` without what is the same for all documents.
_DOCUMENT_ORDER: Final = "(start, ts)"

# A stream tick does not hold: its bars have no twap.
_NO_HOLDS: Final = "toInt64(0) AS closing_hold, toInt128(0) AS head, toInt64(0) AS head_us"

# Identities known late: those that count in every coarser bar too, and the instants of the others.
_LATE: Final = f"""
    groupArrayIf(first_known, first_known > bucket + {{seconds:UInt32}} + {{grace_least:UInt32}}
        AND first_known <= bucket + {_LONGEST_S} + {{grace_most:UInt32}}) AS late,
    arrayMap(t -> toUInt64(1), late) AS late_counts,
    countIf(first_known > bucket + {_LONGEST_S} + {{grace_most:UInt32}}) AS later"""


def _partial(identities: str, order: str, holds: str) -> str:
    """Bars of `identities`, before their keys are joined; `order` tells the first and the last tick."""
    return f"""
    SELECT tenant, instrument, bucket, sum(publications) AS seen, countIf(counts) AS used,
        argMinIf(price, {order}, counts) AS opened, argMaxIf(price, {order}, counts) AS closed,
        maxIf(price, counts) AS highest, minIf(price, counts) AS lowest,
        countIf(counts AND volume IS NOT NULL) AS with_volume, sumIf(toInt128(quantity), counts) AS quantities,
        sumIf(toInt256(toInt128(reinterpretAsInt64(price)) * quantity), counts) AS price_volume,
        minIf(start, counts) AS first_at, maxIf(start, counts) AS last_at, argMaxIf(ts, {order}, counts) AS closing_ts,
        groupBitOrIf(flags, counts) AS all_flags, sum(corrections) AS corrected, max(updated_at) AS changed,
        {_LATE}, {holds}
    FROM (SELECT *, {current.usable()} AS counts, {floor("start", "{seconds:UInt32}")} AS bucket,
            reinterpretAsInt64(ifNull(volume, toDecimal64(0, 9))) AS quantity
        FROM ({identities}))
    GROUP BY tenant, instrument, bucket"""


def _keyed(partial: str) -> str:
    """Partial bars with the start, end and grace of their keys."""
    return f"""
    SELECT * FROM ({partial}) AS b
    INNER JOIN (SELECT tenant, instrument, {floor("start", "1")} AS bucket, start, `end`, grace_s {_KEYS}) AS k
    USING (tenant, instrument, bucket)"""


def _insert(keyed: str, into: str = "bars") -> str:
    """The statement that stores partial bars with their keys."""
    return f"""
    INSERT INTO {into} ({COLUMNS})
    SELECT tenant, {{interval:String}}, {floor("start", "{period:UInt32}")}, instrument, start, `end`,
        opened, highest, lowest, closed,
        if(with_volume > 0, reinterpret(quantities, 'Decimal128(9)'), NULL), price_volume,
        if(used > 0, first_at, start), if(used > 0, last_at, start), if(used > 0, closing_ts, start),
        closing_hold, head, head_us, used, all_flags, corrected,
        later + arraySum((t, n) -> if(t > sure, n, 0), late, late_counts), kept.1, kept.2,
        changed, {RULE_VERSION * VERSION_UNIT} + seen
    FROM (SELECT *, `end` + grace_s AS due, start + {_LONGEST_S} + grace_s AS sure,
            arrayFilter(t -> t.1 > due AND t.1 <= sure, arrayZip(late, late_counts)) AS near,
            arrayReduce('sumMap', arrayMap(t -> [t.1], near), arrayMap(t -> [t.2], near)) AS kept
        FROM ({keyed}))"""


def _touched(interval: str) -> str:
    """The condition that a publication may lie in a bar of the keys.

    A stream tick's bucket is its bar; documents lie in days, and their stamps may lie beside their interval.
    """
    bucket = floor("start", "1")
    if interval != STREAM:
        bucket = f"toStartOfDay(arrayJoin([start - {STAMP_MARGIN_S}, `end` + {STAMP_MARGIN_S}]))"
    # Three small sets for the primary key, and a hash of the three instead of the tuple, which costs twice as much;
    # whatever else it lets pass finds no key in the end.
    return f"""{_WITHIN} AND tenant IN (SELECT tenant {_KEYS}) AND instrument IN (SELECT instrument {_KEYS})
        AND bucket IN (SELECT {bucket} {_KEYS})
        AND cityHash64(instrument, bucket, tenant) IN (SELECT cityHash64(instrument, {bucket}, tenant) {_KEYS})"""


# No two publications of the bar share an instant: then none is of the same identity, and their instants order them.
_PLAIN: Final = "count() = arrayUniq(groupArray(ts))"


LEFT_OUT: Final = f"""
    SELECT tenant, instrument, start {_KEYS}
        AND (tenant, instrument, start) NOT IN (SELECT tenant, instrument, start FROM {{made:Identifier}})"""
STORE_MADE: Final = f"INSERT INTO bars ({COLUMNS}) SELECT {COLUMNS} FROM {{made:Identifier}}"


def from_plain(interval: str) -> str:
    """Bars of the keys from publications that need no replay, into `{made:Identifier}`; the others are left out.

    Whether a bar needs it is seen in the same state of the table that the bar is made of: what was made, and nothing
    else, tells which ones were left out.
    """
    order = "start" if interval == STREAM else _DOCUMENT_ORDER
    plain = current.single(_touched(interval), current.BAR_COLUMNS)
    return _insert(_keyed(_partial(plain, order, _holds(interval)) + f" HAVING {_PLAIN}"), "{made:Identifier}")


def from_replay(interval: str) -> str:
    """Bars of the keys with every publication replayed."""
    identities = current.replayed(_touched(interval), current.BAR_COLUMNS)
    order = current.CLOSING if interval == STREAM else _DOCUMENT_ORDER
    return _insert(_keyed(_partial(identities, order, _holds(interval))))


def _holds(interval: str) -> str:
    return _NO_HOLDS if interval == STREAM else _HOLDS


_FOLD: Final = f"""
    SELECT p.tenant AS tenant, p.instrument AS instrument, k.start AS start, k.`end` AS `end`, k.grace_s AS grace_s,
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
        ticks[-1].3 AS closing_hold, sum(p.integral_head) + {_HEAD} AS head,
        sum(p.covered_head_us) + {_HEAD_US} AS head_us"""


def from_finer() -> str:
    """Bars of one interval from the stored bars of the next finer one, `{finer:String}`."""
    periods = f"""
        SELECT tenant, {{finer:String}}, toDateTime(arrayJoin(range(
            toUInt64(intDiv({micros("start")}, 1000000 * {{width:UInt32}}) * {{width:UInt32}}),
            toUInt64(intDiv({micros("`end`")}, 1000000)), {{width:UInt32}})), 'UTC'), instrument {_KEYS}"""
    return _insert(f"""
        {_FOLD}
        FROM (SELECT * FROM bars FINAL WHERE `interval` = {{finer:String}}
            AND {_RANGE}
            AND (tenant, `interval`, period, instrument) IN ({periods})) AS p
        ASOF INNER JOIN (SELECT tenant, instrument, start, `end`, grace_s {_KEYS}) AS k
        ON p.tenant = k.tenant AND p.instrument = k.instrument AND p.start >= k.start
        WHERE p.start < k.`end`
        GROUP BY tenant, instrument, start, `end`, grace_s""")
