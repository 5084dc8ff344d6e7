"""The SQL of what a price is now, or was at an instant: publications replayed in known order, one row an identity.

Every read of `ticks` goes through `stored`. What was known at an instant is the same SQL over what is `known_by` it.
A publication is effective when, with the highest version winning, it changes anything that is shown as a value;
the current publication is the latest effective one.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from typing import Final

# The texts below name columns of `ticks`.
IDENTITY: Final = "tenant, instrument, ts, source_rank, event_id"
KNOWN: Final = "known_at, topic_id, partition, `offset`, `row`"
CLOSING: Final = "(start, source_rank, event_id, ts)"

# Values stay below 10^9 in size, so this one stands for "absent" and compares.
_ABSENT: Final = "toDecimal64(9000000000, 9)"
_OPTIONAL: Final = ("energy", "congestion", "loss", "ghg", "volume", "bid", "ask")
_LATER: Final = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"

# What a bar needs of an identity beside its order and its price.
BAR_COLUMNS: Final = ("start", "hold_end", "price", "volume", "flags")


def usable() -> str:
    """The condition that a price counts in bars and latest prices; takes the parameter `unusable`."""
    return "bitAnd(flags, {unusable:UInt32}) = 0"


def stored(where: str) -> str:
    """`FROM … WHERE …` over the publications."""
    return f"FROM ticks WHERE {where}"


def known_by(where: str, *, bounded: bool = True) -> str:
    """The condition, of what was known at the parameter `known` alone; as it is where it is not `bounded`."""
    return f"{where} AND known_at <= {{known:DateTime64(6, 'UTC')}}" if bounded else where


def single(where: str, columns: tuple[str, ...]) -> str:
    """Every publication as if it were its identity's only one. `weight`: its parser's version, at least 1."""
    return f"""
        SELECT {IDENTITY}, {", ".join(columns)}, toUInt64(parser_version) AS weight, toUInt64(0) AS corrections,
            known_at AS first_known, known_at AS updated_at
        {stored(where)}"""


def replayed(where: str, columns: tuple[str, ...], also: str = "") -> str:
    """One row for every identity among `where`, its publications replayed; the same columns as `single`, and `also`:
    a column `aggregate AS name` over all its publications."""
    more, name = (f", {also}", f", {also.rpartition(' AS ')[2]}") if also else ("", "")
    current = ", ".join(f"now.{place} AS {name}" for place, name in enumerate(columns, 1))
    return f"""
        SELECT {IDENTITY}, {current}, weight, corrections, first_known, updated_at{name}
        FROM (
        SELECT {IDENTITY}, argMaxIf(tuple({", ".join(columns)}), ({KNOWN}), effective) AS now,
            sum(parser_version) AS weight, toUInt64(countIf(effective) - 1) AS corrections,
            min(known_at) AS first_known, maxIf(known_at, effective) AS updated_at{more}
        FROM ({told_apart(where, (*columns, "parser_version"))})
        GROUP BY {IDENTITY})"""


def effective(where: str, columns: tuple[str, ...]) -> str:
    """One row for every effective publication among `where`: `IDENTITY`, the columns, and `corrections`, the number of
    those of its identity that came before it."""
    return f"""
        SELECT {IDENTITY}, {", ".join(columns)}, toUInt64(row_number() OVER (
            PARTITION BY {IDENTITY} ORDER BY {KNOWN}) - 1) AS corrections
        FROM ({told_apart(where, columns)}) WHERE effective"""


def told_apart(where: str, columns: tuple[str, ...]) -> str:
    """Every publication among `where`, with whether it is `effective`, and `standing`: no higher version was known."""
    own = (*IDENTITY.split(", "), *KNOWN.split(", "), "version", "price", "flags", *_OPTIONAL)
    needed = dict.fromkeys((*own, *columns))
    same = ", ".join(f"ifNull({name}, {_ABSENT})" for name in _OPTIONAL)
    order = f"PARTITION BY {IDENTITY}"
    return f"""
            SELECT *, standing AND (nth = 1 OR content != lagInFrame(content) OVER
                ({order}, standing ORDER BY {KNOWN} {_LATER})) AS effective
            FROM (
                SELECT *, version = highest AS standing,
                    row_number() OVER ({order}, version = highest ORDER BY {KNOWN}) AS nth
                FROM (
                    SELECT *, (price, {same}, {usable()}) AS content,
                        max(version) OVER ({order} ORDER BY {KNOWN} {_LATER}) AS highest
                    FROM (
                        SELECT {", ".join(needed)} {stored(where)}
                        ORDER BY parser_version DESC LIMIT 1 BY {IDENTITY}, version, {KNOWN}
                    )
                )
            )"""
