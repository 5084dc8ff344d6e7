"""What is known of one instrument: itself, and what is there of it over a range."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import polars as pl

from api import shapes
from api.formats import objects
from api.latest import aging
from api.problems import invalid
from api.query import CoverageQuery, check_order
from api.reads.ports import Extent, Reads, Window
from api.security.history import begun, require_history, sources
from db.visible import Visible
from pipeline import coverage, expected, products
from pipeline.coverage import COUNTED, Asked, Coverage
from pipeline.products import Product
from pipeline.schema import Schema
from service import clock

MOST: Final = timedelta(days=93)
MOST_GAPS: Final = 1000
DAYS: Final = 7
_MARGIN: Final = timedelta(minutes=15)  # how far a published instant may lie from its interval's start
_LISTED: Final = 10_000
_DAYS: Final[Schema] = {
    **dict.fromkeys(("instrument", "tenant", "zone", "day"), pl.String()),
    **dict.fromkeys(("expected", "present", "missing"), pl.Int64()), "complete": pl.Boolean(),
}  # fmt: skip

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Instrument:
    """A row of the reference, with what the registry says of its product."""

    row: Mapping[str, Any]

    @property
    def tenant(self) -> str:
        return self.row["tenant"]

    @property
    def name(self) -> str:
        return self.row["instrument"]

    @property
    def product(self) -> Product:
        return products.product(self.row["market"], self.row["product"])

    @property
    def zone(self) -> str:
        """Whose days its days are."""
        if self.product.day == "utc":
            return "UTC"
        return self.row["zone"] or products.market(self.row["market"]).zone

    @property
    def cadence(self) -> float | None:
        return None if self.product.cadence is None else self.product.cadence.total_seconds()


async def detail(reads: Reads, one: Instrument) -> Fields:
    """The fields of `api.schemas.coverage.InstrumentDetail`."""
    extent = await reads.extent(one.tenant, one.name)
    of_product = {
        "interval": one.product.interval,
        "finest": shapes.finest_bar(one.row["market"], one.row["product"]),
        "cadence_seconds": one.cadence,
        "last_seen": extent and extent.changed,
        "names": [{"name": name, "since": since} for name, since in await reads.names_of(one.tenant, one.name)],
    }
    return {name: one.row[name] for name in shapes.INSTRUMENT_FIELDS} | of_product


async def covered(reads: Reads, one: Instrument, visible: Visible, ask: CoverageQuery, now: datetime) -> Fields:
    """The fields of `api.schemas.coverage.Coverage`."""
    span = _range(one, visible, ask, now)
    extent = await reads.extent(one.tenant, one.name)
    asked = Asked(one.name, one.product, one.zone, *span, now, extent and extent.first)
    found = await _found(reads, one.tenant, asked)
    return {
        **{name: one.row[name] for name in ("instrument", "market", "product", "tenant")},
        "zone": one.zone,
        "interval": one.product.interval,
        "cadence_seconds": one.cadence,
        **span._asdict(),
        **_ends(extent),
        **_shown(found, expected.why_none(one.product)),
        "freshness": await _freshness(reads, one, now),
    }


def table(covered: Fields) -> pl.DataFrame:
    """Its days as rows."""
    whose = {name: covered[name] for name in ("instrument", "tenant", "zone")}
    return objects.table([whose | day for day in covered["days"]], _DAYS)


class _Range(NamedTuple):
    start: datetime
    end: datetime


def _range(one: Instrument, visible: Visible, ask: CoverageQuery, now: datetime) -> _Range:
    end = ask.end or coverage.last_day(one.product, one.zone, now)
    tenants = sources([(one.tenant, one.row["market"])])
    start = ask.start or begun(coverage.days_before(end, one.zone, DAYS), visible, tenants, now)
    check_order(start, end)
    require_history(visible, tenants, start, now)
    if end - start > MOST:
        raise invalid("start", f"lies more than {MOST.days} days before end. Ask for a part at a time.")
    return _Range(start, end)


async def _found(reads: Reads, tenant: str, asked: Asked) -> Coverage:
    if expected.step(asked.product) is None and not asked.product.irregular:
        return coverage.streamed(asked, await _counted(reads, tenant, asked))
    before = max(_MARGIN, asked.product.max_hold or _MARGIN)
    held = await reads.held(tenant, asked.instrument, asked.start - before, asked.end + _MARGIN)
    return coverage.irregular(asked, held) if asked.product.irregular else coverage.promised(asked, held)


async def _counted(reads: Reads, tenant: str, asked: Asked) -> pl.DataFrame:
    """Prices by the hours that begin in the range."""
    page = await reads.bars([tenant], [asked.instrument], "1h", Window(asked.start, asked.end, None, _LISTED))
    return page.rows.select(*COUNTED)


def _ends(extent: Extent | None) -> Fields:
    found = asdict(extent) if extent else {}
    return {name: found.get(name) for name in ("first", "last")}


def _shown(found: Coverage, reason: str | None) -> Fields:
    gaps = found.gaps
    return {
        "expected": found.expected,
        "present": found.present,
        "missing": found.missing,
        "reason": reason,
        "gap_count": None if gaps is None else gaps.height,
        "gaps": None if gaps is None else gaps.head(MOST_GAPS).to_dicts(),
        "days": found.days.to_dicts(),
    }


async def _freshness(reads: Reads, one: Instrument, now: datetime) -> Fields | None:
    newest = await reads.latest([one.tenant], [one.name], "newest", now)
    if newest.is_empty():
        return None
    start, end, known_at = newest.select("start", "end", "known_at").row(0)
    age = now - start
    return {
        "interval_start": start,
        "interval_end": end,
        "known_at": known_at,
        "age_seconds": int(age / timedelta(milliseconds=1)) / 1000,
        "status": aging.status_at(one.row["market"], one.row["product"], clock.to_us(start), clock.to_us(now)),
        "next_expected_at": coverage.next_due(one.product, one.name, one.zone, start, end),
    }
