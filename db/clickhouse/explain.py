"""What a bar is explained from: every publication of its identities."""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from datetime import datetime
from typing import Final, NamedTuple

import polars as pl

from db.clickhouse import current
from db.clickhouse.bounds import RANGE, WHO, Range, Scope
from db.clickhouse.latest import SHOWN
from db.clickhouse.query import Query, instant
from db.clickhouse.reads import BUCKETS, COLUMNS
from pipeline.flags import UNUSABLE
from pipeline.schema import SEEN, conform

# Of a bar with more publications than are listed: identities whose instant lies before this one.
_BEFORE: Final = "ts < {before:DateTime64(6, 'UTC')} AND bucket <= {before:DateTime64(6, 'UTC')}"


class Publications(NamedTuple):
    """`rows`: what `publications` reads of all `total` of them; where that is not `whole`, of the first prices, and
    `total` may be a few too many."""

    rows: pl.DataFrame
    total: int
    whole: bool


def counted(scope: Scope, span: Range, known: datetime | None) -> Query:
    """One row, `publications`: how many begin in the span; one that was stored twice may count twice."""
    sql = f"SELECT count() AS publications {_begun(known)}"
    return Query(sql, _parameters(scope, span, known))


def beyond(scope: Scope, span: Range, known: datetime | None) -> Query:
    """One row, `ts`: the instant of the publication after the first `limit` of those that begin in the span, in order
    of their instants; none where there are no more."""
    sql = f"SELECT ts {_begun(known)} ORDER BY ts LIMIT 1 OFFSET {{limit:UInt64}}"
    return Query(sql, _parameters(scope, span, known))


def publications(scope: Scope, span: Range, known: datetime | None, before: datetime | None = None) -> Query:
    """Every publication of the identities of which one begins in the span (and whose instant lies before an instant),
    in the order in which they became known: `pipeline.schema.SEEN`, and `effective`, `standing` of
    `current.told_apart`."""
    where = _where(known) if before is None else f"{_where(known)} AND {_BEFORE}"
    told = current.told_apart(where, (*SHOWN, "parser_version"))
    sql = f"""
        SELECT {COLUMNS}, parser_version, effective, standing
        FROM (SELECT *, max({RANGE}) OVER (PARTITION BY {current.IDENTITY}) AS inside FROM ({told}))
        WHERE inside ORDER BY {current.KNOWN}"""
    given = _parameters(scope, span, known) | {"unusable": UNUSABLE}
    return Query(sql, given if before is None else given | {"before": instant(before)})


def rows(found: pl.DataFrame) -> pl.DataFrame:
    """What `publications` has found: `pipeline.schema.SEEN`, and Booleans `effective` and `standing`."""
    told = found.select("effective", "standing").cast(pl.Boolean)
    return conform(found.drop("effective", "standing"), SEEN).hstack(told)


def _begun(known: datetime | None) -> str:
    return current.stored(f"{_where(known)} AND {RANGE}")


def _where(known: datetime | None) -> str:
    return current.known_by(f"{WHO} AND {BUCKETS}", bounded=known is not None)


def _parameters(scope: Scope, span: Range, known: datetime | None) -> dict[str, object]:
    given = scope.parameters | span.parameters
    return given if known is None else given | {"known": instant(known)}
