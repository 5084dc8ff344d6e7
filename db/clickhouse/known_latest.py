"""The price with the newest start as it was known at an instant.

The stored bars say where to look, not what it was. A day whose bar has a price and has not changed since the instant
had one then (a price counts in one bar alone, with all that changed it); so the newest price lies in it or in a later
day. There the publication with the newest start is that price, as long as it stood for its identity at the instant.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from datetime import datetime
from typing import Final

from db.clickhouse import current
from db.clickhouse.bounds import WHO, Scope
from db.clickhouse.latest import SHOWN
from db.clickhouse.query import Query, instant
from db.clickhouse.reads import COLUMNS, identities
from db.clickhouse.rollup import STAMP_MARGIN_S, floor, steps
from pipeline.flags import UNUSABLE
from pipeline.schema import LATEST

_PLACE: Final = "tenant, instrument, start, source_rank, event_id, ts"
_BEGUN: Final = "start <= {until:DateTime64(6, 'UTC')}"

# The days to look in, each with the instrument's sure one.
_DAYS: Final = f"""
    SELECT tenant, instrument, day.1 AS start, day.2 AS `end` FROM (
        SELECT tenant, instrument, maxIf(start, sure) AS since,
            arrayJoin(arrayFilter(t -> t.1 >= since, groupArray((start, `end`)))) AS day
        FROM (SELECT tenant, instrument, start, `end`, count > 0 AND updated_at <= {{known:DateTime64(6, 'UTC')}}
                AND first_start <= {{until:DateTime64(6, 'UTC')}} AS sure
            FROM bars FINAL WHERE {WHO} AND `interval` = '1d' AND {_BEGUN})
        GROUP BY tenant, instrument)"""
# A stream's tick lies in a bucket of the day itself, a document's in that of a day (UTC) that holds its stamp.
_WITHIN: Final = f"""{WHO} AND (tenant, toStartOfDay(bucket), instrument) IN (
        SELECT tenant, {
    steps(f"toStartOfDay(start - {STAMP_MARGIN_S})", f"`end` + {STAMP_MARGIN_S}", "86400")
}, instrument FROM ({_DAYS}))"""
_KNOWN: Final = current.known_by(_WITHIN)


def newest_known(scope: Scope, known: datetime, until: datetime = LATEST) -> Query:
    """Of each instrument the price with the newest start that was known at an instant, advisory ones apart (`TICKS` and
    `revision`), and `sure`: false where the newest one did not stand any more: see `newest_replayed`.

    `until`: of those that start up to then; of streams alone.
    """
    sql = f"""
        WITH peaks AS MATERIALIZED (
            SELECT tenant, instrument, max({current.CLOSING}) AS peak
            {current.stored(f"{_KNOWN} AND {current.usable()} AND {_BEGUN}")} GROUP BY tenant, instrument)
        SELECT {COLUMNS}, corrections AS revision, toBool({current.usable()} AND ({_PLACE}) IN (
            SELECT tenant, instrument, peak.1, peak.2, peak.3, peak.4 FROM peaks)) AS sure
        FROM ({current.replayed(current.known_by(_at("peak.4")), SHOWN)})
        ORDER BY sure DESC LIMIT 1 BY tenant, instrument"""
    return Query(sql, _given(scope, known, until))


def newest_replayed(scope: Scope, known: datetime, until: datetime = LATEST) -> Query:
    """The same (`TICKS` and `revision`), with every price of the days replayed."""
    sql = f"""
        {identities(_KNOWN)}
        WHERE {current.usable()} AND {_BEGUN} ORDER BY {current.CLOSING} DESC LIMIT 1 BY tenant, instrument"""
    return Query(sql, _given(scope, known, until))


def _at(ts: str) -> str:
    return f"""(tenant, bucket, instrument, ts) IN (
        SELECT tenant, arrayJoin([{floor(ts, "10")}, {floor(ts, "86400")}]), instrument, {ts} FROM peaks)"""


def _given(scope: Scope, known: datetime, until: datetime) -> dict[str, object]:
    return scope.parameters | {"known": instant(known), "until": instant(until), "unusable": UNUSABLE}
