"""How many rows a range holds, by the hours in which they begin: what tells before reading how to cut it.

No price is read. `pairs` are (tenant, instrument), so that nothing is counted that the caller may not see.
"""
# ruff: noqa: S608  statements are put together from the texts of this package; values are parameters

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import polars as pl

from db.clickhouse import current
from db.clickhouse.bounds import HIGH, LOW, RANGE, WHO
from db.clickhouse.query import Query, instant
from db.clickhouse.reads import BUCKETS
from db.clickhouse.rollup import PERIODS, floor
from pipeline.schema import INSTANT, Schema

# Hours without rows are left out. Of ticks: an upper bound where publications repeat.
COUNTED: Final[Schema] = {"hour": INSTANT, "rows": pl.Int64()}
COUNTED_EXACTLY: Final = 1_000_000  # more prices than this are counted by their publications

Pairs = Sequence[tuple[str, str]]
_IDENTITY: Final = current.IDENTITY
_HOUR: Final = "toDateTime64(toStartOfHour(toDateTime(start, 'UTC')), 6, 'UTC') AS hour"
_PAIRED: Final = "(tenant, instrument) IN arrayZip({of:Array(String)}, {names:Array(String)})"


class Counting(NamedTuple):
    """Whose rows over [start, end)."""

    pairs: Pairs
    start: datetime
    end: datetime

    @property
    def where(self) -> str:
        """The condition on whose rows; asking for pairs takes three times as long as for all of some names."""
        tenants, names = (len({pair[at] for pair in self.pairs}) for at in (0, 1))
        return WHO if tenants * names == len(self.pairs) else f"{WHO} AND {_PAIRED}"

    @property
    def parameters(self) -> dict[str, object]:
        tenants, names = ([pair[at] for pair in self.pairs] for at in (0, 1))
        return {
            "tenants": sorted(set(tenants)), "instruments": sorted(set(names)), "of": tenants, "names": names,
            "low": instant(self.start), "high": instant(self.end),
        }  # fmt: skip


def publications(what: Counting, known: datetime | None) -> Query:
    """`COUNTED` of the publications, or of those known at an instant."""
    where = _published(what, known)
    sql = f"SELECT {_HOUR}, toInt64(count()) AS `rows` {current.stored(where)} GROUP BY hour ORDER BY hour"
    return Query(sql, what.parameters | _known(known))


def prices(what: Counting, known: datetime | None) -> Query:
    """`n`: how many prices there are, each once however often it was published."""
    where = _published(what, known)
    sql = f"SELECT toInt64(uniqExact({_IDENTITY})) AS n {current.stored(where)}"
    return Query(sql, what.parameters | _known(known))


def bars(what: Counting, interval: str) -> Query:
    """`COUNTED` of the bars that hold a price."""
    sql = f"""SELECT {_HOUR}, toInt64(count()) AS `rows` FROM bars FINAL
        WHERE {what.where} AND `interval` = {{interval:String}} AND {RANGE} AND {_periods(interval)} AND count > 0
        GROUP BY hour ORDER BY hour"""
    return Query(sql, what.parameters | {"interval": interval})


def _periods(interval: str) -> str:
    return f"period >= {floor(LOW, str(PERIODS[interval]))} AND period < {HIGH}"


def _published(what: Counting, known: datetime | None) -> str:
    return current.known_by(f"{what.where} AND {BUCKETS} AND {RANGE}", bounded=known is not None)


def _known(known: datetime | None) -> dict[str, object]:
    return {} if known is None else {"known": instant(known)}
