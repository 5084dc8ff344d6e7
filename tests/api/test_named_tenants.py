"""Every read of the API names to ClickHouse exactly the tenants whose rows it may see (`db.clickhouse.reader`)."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from types import CodeType, FunctionType
from typing import Any, Final, cast

import polars as pl
import pytest

from api.reads import register
from api.reads.ports import Window
from api.reads.register import TICK
from api.reads.stores import Stores
from api.shapes import BAR
from db.clickhouse import replay
from db.clickhouse.active import ACTIVE
from db.clickhouse.counts import COUNTED, Counting
from db.clickhouse.curves import STORED_HEADS, STORED_POINTS, Inputs
from db.clickhouse.frames import fetch_async, fetch_batches
from db.clickhouse.known_changes import Known, Whose
from db.clickhouse.live import Range, Span
from db.clickhouse.query import Query
from db.clickhouse.replay import BECAME
from db.clickhouse.stand import STAND
from pipeline.blocks import PEAK
from pipeline.expected import HELD
from pipeline.schema import INSTANT, SEEN, Schema, conform
from tests.api.walled_client import Client, stores_over
from tests.db.clickhouse.rows import DAY, document, frame, generic

HOUR: Final = timedelta(hours=1)
WINDOW: Final = Window(DAY, DAY + HOUR, None, 10)
BOTH: Final = ["acme", "public"]
NAMES: Final = ["POWER"]
_CURVE: Final[Schema] = {**STORED_HEADS, **STORED_POINTS}
# What `db.clickhouse.shown.shown_bars` reads.
_STORED_BAR: Final[Schema] = {
    **{name: dtype for name, dtype in BAR.items() if name not in {"vwap", "twap", "covered_seconds"}},
    "ver": pl.UInt64(), "last_start": INSTANT, "last_hold_us": pl.Int64(), "covered_head_us": pl.Int64(),
    "head": pl.String(), "worth": pl.String(),
}  # fmt: skip
_KEPT: Final[Schema] = {"tenant": pl.String(), "instrument": pl.String(), "start": INSTANT, "seen": pl.Int64()}


@dataclass(frozen=True)
class Read:
    """A read, what it is answered, and whom each of its queries names."""

    ask: Callable[[Stores], Awaitable[object]]
    answers: tuple[pl.DataFrame, ...]
    named: list[str]


def _none(of: Schema) -> tuple[pl.DataFrame]:
    return (pl.DataFrame(schema=dict(of)),)


def _one(**columns: object) -> pl.DataFrame:
    return pl.DataFrame({name: [value] for name, value in columns.items()})


WHAT: Final = Counting([("acme", "POWER"), ("public", "POWER")], DAY, DAY + HOUR)
REFERENCE: Final = pl.DataFrame(
    {"tenant": BOTH, "instrument": ["A", "B"], "market": "pjm", "product": "da_hourly", "zone": "America/New_York"}
)
LEGS: Final = pl.DataFrame({"instrument": NAMES, "at": [DAY]})
# One price that ends, so that another may be in force, and one of a stream that has not begun.
NEWEST: Final = conform(frame([document("acme", DAY, "1"), generic("acme", DAY + HOUR, "1")]), TICK)
NONE_KNOWN: Final = NEWEST.clear().with_columns(sure=pl.lit(value=True))
DOUBTFUL: Final = NEWEST.with_columns(sure=pl.lit(value=False))
TOLD: Final[Schema] = {**SEEN, "effective": pl.Boolean(), "standing": pl.Boolean()}
PRICES: Final = pl.DataFrame({"tenant": BOTH, "instrument": "POWER", "ts": [DAY, DAY]})
BARS: Final = PRICES.select("tenant", "instrument", pl.lit("1h").alias("interval"), start="ts")
SINCE: Final = replay.Known(DAY, DAY + HOUR)
SPAN: Final = Span([Range("x", 0, 1, 2)], DAY, DAY)
WHOSE: Final = Whose(BOTH, [("acme", "POWER"), ("public", "POWER")])
KNOWN: Final = Known(DAY, DAY + HOUR, 10)
OURS: Final = "acme,public"
_FETCHES: Final = {fetch_async.__name__, fetch_batches.__name__}

READS: Final[dict[str, Read]] = {
    "active": Read(lambda s: s.active("acme", DAY), _none(ACTIVE), ["acme"]),
    "bar_publications": Read(
        lambda s: s.bar_publications("acme", "POWER", DAY, DAY + HOUR, None, 1),
        (_one(publications=2), _one(ts=DAY), *_none(TOLD)), ["acme"] * 3,
    ),
    "bars_at": Read(lambda s: s.bars_at(BARS), _none(_STORED_BAR), [OURS]),
    "became_known": Read(lambda s: s.became_known(replay.Whose(BOTH, NAMES), SINCE, 1), _none(BECAME), [OURS]),
    "bars": Read(lambda s: s.bars(BOTH, NAMES, "1h", WINDOW), _none(_STORED_BAR), [OURS]),
    "block_bars": Read(lambda s: s.block_bars(REFERENCE, "1h", PEAK, WINDOW), _none(_STORED_BAR), ["acme", "public"]),
    "changed_bars": Read(lambda s: s.changed_bars(WHOSE, ["1h"], KNOWN, None), _none(_STORED_BAR), [OURS]),
    "changed_ticks": Read(lambda s: s.changed_ticks(WHOSE, KNOWN, None), _none(TICK), [OURS]),
    "count_bars": Read(lambda s: s.count_bars(WHAT, "1h"), _none(COUNTED), [OURS]),
    "count_prices": Read(lambda s: s.count_prices(WHAT, None), (_one(n=0),), [OURS]),
    "count_publications": Read(lambda s: s.count_publications(WHAT, None), _none(COUNTED), [OURS]),
    "curve_publications": Read(
        lambda s: s.curve_publications(Inputs("acme", "m", "p", DAY, DAY), None), _none(SEEN), ["acme"]
    ),
    "curve_sessions": Read(
        lambda s: s.curve_sessions("acme", "c", (date(2026, 1, 1), date(2026, 1, 2)), DAY, 1, newest=True),
        _none({"session": pl.Date()}), ["acme"],
    ),
    "curve_snapshots": Read(
        lambda s: s.curve_snapshots("acme", "c", date(2026, 1, 1), date(2026, 1, 2), 1), _none(_CURVE), ["acme"]
    ),
    "curve_until": Read(lambda s: s.curve_until("acme", "c", DAY), _none(_CURVE), ["acme"]),
    "extent": Read(lambda s: s.extent("acme", "POWER"), (_one(first=None, last=None, changed=None),), ["acme"]),
    "held": Read(lambda s: s.held("acme", "POWER", DAY, DAY + HOUR), _none(HELD), ["acme"]),
    "known_bars": Read(lambda s: s.known_bars(REFERENCE, "1h", WINDOW, DAY), _none(_KEPT), [OURS]),
    "known_latest": Read(
        lambda s: s.known_latest(BOTH, NAMES, "in_force", DAY),
        (DOUBTFUL, NEWEST, NEWEST.clear(), NONE_KNOWN), [OURS] * 4,
    ),
    "latest": Read(
        lambda s: s.latest(BOTH, NAMES, "in_force", DAY), (NEWEST, NEWEST.clear()), [OURS] * 3
    ),
    "landed_ticks": Read(lambda s: s.landed_ticks(BOTH, NAMES, SPAN), _none(TICK), [OURS]),
    "leg_publications": Read(lambda s: s.leg_publications(BOTH, LEGS, None), _none(SEEN), [OURS]),
    "many_ticks": Read(lambda s: anext(s.many_ticks(BOTH, NAMES, iter([WINDOW]), None)), _none(SEEN), [OURS]),
    "newest_bars": Read(lambda s: s.newest_bars(BOTH, NAMES, ["1h"]), _none(_STORED_BAR), [OURS]),
    "revisions": Read(lambda s: s.revisions(BOTH, NAMES, WINDOW, None), _none(TICK), [OURS]),
    "stand_of_bars": Read(lambda s: s.stand_of_bars(DAY, DAY + HOUR), _none(STAND), [""]),  # no row is read
    "stored_bar": Read(
        lambda s: s.stored_bar("acme", "POWER", "1h", DAY, DAY + HOUR), _none(_STORED_BAR), ["acme"]
    ),
    "ticks_known": Read(lambda s: s.ticks_known(PRICES, SINCE), _none(TICK), [OURS]),
    "unfinished": Read(
        lambda s: s.unfinished(BOTH, None, "1h", DAY, 12), _none({"instrument": pl.String()}), [OURS]
    ),
    "ticks": Read(lambda s: s.ticks(BOTH, NAMES, WINDOW, None), _none(TICK), [OURS]),
}  # fmt: skip


@pytest.mark.parametrize("name", READS)
async def test_a_read_names_whose_rows_it_may_see(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def is_being_built(*_: object) -> None:
        return None

    monkeypatch.setattr(register, "read", is_being_built)
    read = READS[name]
    client = Client(*read.answers)
    await read.ask(stores_over(client))
    assert client.named == read.named


def test_no_read_is_left_out() -> None:
    """All public methods of the stores that read from ClickHouse, by themselves or through what they share."""
    assert {name for name in _reading() if not name.startswith("_")} == set(READS)


def _reading() -> set[str]:
    methods = {
        name: set(_names(each.__code__))
        for kind in Stores.__mro__
        for name, each in vars(kind).items()
        if isinstance(each, FunctionType)
    }
    known, found = set[str](), {*_FETCHES}
    while found - known:
        known |= found
        shared = {name for name in known if name.startswith("_")} | _FETCHES
        found = {name for name, used in methods.items() if used & shared}
    return known - _FETCHES


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names(each)


async def test_to_a_client_without_a_wall_nothing_is_said() -> None:
    client = Client(*_none(_STORED_BAR), walled=False)
    await stores_over(client).bars(BOTH, NAMES, "1h", WINDOW)
    assert client.named == [None]


async def test_a_query_without_tenants_names_nobody() -> None:
    client = Client(*_none(_STORED_BAR))
    await fetch_async(cast("Any", client), Query("SELECT 1", {"instrument": "acme", "after_tenant": "acme"}))
    assert client.named == [""]


@pytest.mark.parametrize("given", [{"tenants": ["acme,public"]}, {"tenant": "acme,"}])
async def test_a_tenant_that_would_be_read_as_two_is_refused(given: dict[str, object]) -> None:
    client = Client(*_none(_STORED_BAR))
    with pytest.raises(ValueError, match="comma"):
        await fetch_async(cast("Any", client), Query("SELECT 1", given))
    assert client.sent == []
