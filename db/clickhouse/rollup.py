"""The SQL of bars: what those from stored publications and those from finer bars share.

The keys of a pass, runs of buckets, stand in a table of their own, `{keys:Identifier}` (`db.clickhouse.keys`); every
statement takes the keys of one `role` from it, of ticks those of one `interval`, and `low`, `high`: bounds of their
starts and ends. Bars are made in a table of the pass, `{made:Identifier}`, and stored from there, those of a role at a
time.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from collections.abc import Mapping
from typing import Final

# A bar's row version: this number times 2^40, plus the parser versions of its distinct publications, which grow with
# each of them, and when one is read anew.
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
LONGEST_S: Final = 25 * 3600

COLUMNS: Final = (
    "tenant, `interval`, period, instrument, start, `end`, open, high, low, close, volume, pv, first_start, "
    "last_start, last_ts, last_hold_us, integral_head, covered_head_us, count, flags, corrections, late_sure, "
    "late_at, late_n, updated_at, ver"
)

OF_ROLE: Final = "FROM {keys:Identifier} WHERE role = {role:String}"
KEYS: Final = f"{OF_ROLE} AND `interval` = {{interval:String}}"
RANGE: Final = "start >= {low:DateTime64(6, 'UTC')} AND start < {high:DateTime64(6, 'UTC')}"


def by_interval(interval: str, seconds: Mapping[str, int]) -> str:
    """An expression: so many seconds, by the name of an interval."""
    return f"transform({interval}, {list(seconds)}, {list(seconds.values())}, toInt64(0))"


def micros(instant: str) -> str:
    """An expression: microseconds since 1970."""
    return f"toUnixTimestamp64Micro({instant})"


def floor(instant: str, seconds: str) -> str:
    """An expression: the instant's bucket of so many seconds since 1970, as `DateTime`."""
    return f"toDateTime(intDiv({micros(instant)}, {seconds} * 1000000) * {seconds}, 'UTC')"


def steps(low: str, high: str, seconds: str) -> str:
    """An expression: a row for every so many seconds of [low, high), as `DateTime`; `low` lies on their grid."""
    return f"toDateTime(arrayJoin(range(toUnixTimestamp({low}), toUnixTimestamp({high}), {seconds})), 'UTC')"


# The periods in which the finer bars lie that a key's bars hold.
FINER_PERIODS: Final = steps(floor("start", "{width:UInt32}"), "`end`", "{width:UInt32}")


def exact(instant: str) -> str:
    """An expression: a `DateTime` as the instants of bars are stored."""
    return f"toDateTime64({instant}, 6, 'UTC')"


# Every tick of a bar but the last holds until the next one's start, its own end or never (0 us), whichever is first.
# `ticks` are (start us, price, hold us, first start us, …) in order; a finer bar stands for its closing tick, and the
# fourth says when its first one came.
_HELD: Final = "least(b.4 - a.1, a.3)"
HEAD: Final = f"arraySum(arrayMap((a, b) -> toInt128(a.2) * {_HELD}, arrayPopBack(ticks), arrayPopFront(ticks)))"
HEAD_US: Final = f"arraySum(arrayMap((a, b) -> {_HELD}, arrayPopBack(ticks), arrayPopFront(ticks)))"


def make(keyed: str) -> str:
    """The statement that makes bars of partial bars with their keys and interval; `late` names no instant twice."""
    return f"""
    INSERT INTO {{made:Identifier}} ({COLUMNS})
    SELECT tenant, `interval`, {floor("start", by_interval("`interval`", PERIODS))}, instrument, start, `end`,
        opened, highest, lowest, closed,
        if(with_volume > 0, reinterpret(quantities, 'Decimal128(9)'), NULL), price_volume,
        if(used > 0, first_at, start), if(used > 0, last_at, start), if(used > 0, closing_ts, start),
        closing_hold, head, head_us, used, all_flags, corrected,
        later + arraySum((t, n) -> if(t > sure, n, 0), late, late_counts), arrayMap(t -> t.1, near),
        arrayMap(t -> t.2, near),
        changed, {RULE_VERSION * VERSION_UNIT} + seen
    FROM (SELECT *, `end` + grace_s AS due, start + {LONGEST_S} + grace_s AS sure,
            arrayFilter(t -> t.1 > due AND t.1 <= sure, arrayZip(late, late_counts)) AS near
        FROM ({keyed}))"""


STORE: Final = f"""
    INSERT INTO bars ({COLUMNS})
    SELECT {COLUMNS} FROM {{made:Identifier}} WHERE `interval` IN {{intervals:Array(String)}}"""

# Of the role's keys alone: what was made of these intervals for others is stored already, and were it stored again, no
# day would be found that was made whole.
STORE_OF_ROLE: Final = f"""
    {STORE} AND cityHash64(instrument, `interval`, tenant) IN (
        SELECT cityHash64(instrument, `interval`, tenant) FROM {{keys:Identifier}} WHERE role = {{role:String}})"""
