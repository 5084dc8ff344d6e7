"""The reference of instruments on a real server: every change, and only a change, moves the version."""

from datetime import UTC, datetime

import polars as pl
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.reference import (
    Filters,
    find_instruments,
    instruments_named,
    names_of,
    reference_version,
    register_instruments,
    register_names,
)
from db.reference import snapshot
from db.reference.snapshot import INSTRUMENTS, NAMES
from db.visible import Visible
from pipeline.schema import REFERENCE

pytestmark = pytest.mark.stack
SEEN = datetime(2026, 7, 1, tzinfo=UTC)


def _frame(tenant: str, *names: str, zone: str | None = "UTC") -> pl.DataFrame:
    rows = [(tenant, name, "henry_hub", "tick", "USD/MMBtu", "USD", zone, SEEN) for name in names]
    columns = ("tenant", "instrument", "market", "product", "unit", "currency", "zone", "first_seen")
    return pl.DataFrame(rows, schema={name: REFERENCE[name] for name in columns}, orient="row")


async def test_only_unseen_instruments_are_added_and_move_the_version(engine: AsyncEngine, tenant: str) -> None:
    before = await reference_version(engine)
    assert await register_instruments(engine, _frame(tenant, "B", "A", "A")) == 2
    between = await reference_version(engine)
    assert between > before
    assert await register_instruments(engine, _frame(tenant, "A", zone=None)) == 0
    assert await reference_version(engine) == between
    assert await register_instruments(engine, _frame(tenant).clear()) == 0


async def test_a_snapshot_holds_its_version_and_what_is_complete(engine: AsyncEngine, tenant: str) -> None:
    await register_instruments(engine, _frame(tenant, "WHOLE"))
    await register_instruments(engine, _frame(tenant, "PART", zone=None))
    found = await snapshot.read(engine)
    version, frame = found.version, found.tables[INSTRUMENTS]
    own = frame.filter(pl.col("tenant") == tenant)
    assert dict(frame.schema) == dict(REFERENCE)
    assert dict(own.select("instrument", "complete").iter_rows()) == {"WHOLE": True, "PART": False}
    assert version == await reference_version(engine)


async def test_an_update_and_a_removal_move_the_version(engine: AsyncEngine, tenant: str) -> None:
    await register_instruments(engine, _frame(tenant, "A"))
    for statement in (
        "UPDATE instruments SET unit = 'MWh' WHERE tenant = :t",
        "DELETE FROM instruments WHERE tenant = :t",
    ):
        before = await reference_version(engine)
        async with engine.begin() as connection:
            await connection.execute(text(statement), {"t": tenant})
        assert await reference_version(engine) == before + 1


async def test_pages_go_on_after_the_last_row_in_the_order_of_bytes(engine: AsyncEngine, tenant: str) -> None:
    names = ["b", "A.1", "a", "Z", "A-1", "A_1"]
    await register_instruments(engine, _frame(tenant, *names))
    seen: list[str] = []
    after: tuple[str, str] | None = None
    while not (page := await find_instruments(engine, Visible((tenant,)), Filters(), after, 2)).is_empty():
        seen += page["instrument"].to_list()
        after = (seen[-1], tenant)
    assert seen == sorted(names)


async def test_filters_and_tenants_bound_what_is_found(engine: AsyncEngine, tenant: str) -> None:
    await register_instruments(engine, _frame(tenant, "Alpha_1", "Beta"))
    find = {
        "all": Filters(), "part": Filters(search="PHA_"), "wild": Filters(search="%"),
        "market": Filters(market="henry_hub", product="tick"), "other": Filters(market="caiso"),
    }  # fmt: skip
    found = {
        name: (await find_instruments(engine, Visible((tenant,)), each, None, 9)).height for name, each in find.items()
    }
    assert found == {"all": 2, "part": 1, "wild": 0, "market": 2, "other": 0}
    assert (await find_instruments(engine, Visible(("nobody",)), Filters(), None, 9)).is_empty()
    assert (await instruments_named(engine, [tenant], ["Beta", "Gamma"]))["instrument"].to_list() == ["Beta"]
    assert (await instruments_named(engine, ["nobody"], ["Beta"])).is_empty()


async def test_names_over_time_and_the_newest_beside_the_instrument(engine: AsyncEngine, tenant: str) -> None:
    await register_instruments(engine, _frame(tenant, "pjm.da_hourly.7"))
    before = await reference_version(engine)
    for name, day in (("NEW", 9), ("OLD", 2), ("NEW", 5), ("NEW", 8)):
        row = {"tenant": tenant, "instrument": "pjm.da_hourly.7", "name": name, "since": SEEN.replace(day=day)}
        await register_names(engine, pl.DataFrame([row]))
    assert await names_of(engine, tenant, "pjm.da_hourly.7") == [
        ("OLD", SEEN.replace(day=2)),
        ("NEW", SEEN.replace(day=5)),
    ]
    assert await reference_version(engine) == before + 3  # what changed nothing moved nothing
    for search in ("new", "ol"):
        found = await find_instruments(engine, Visible((tenant,)), Filters(search=search), None, 9)
        assert found.select("instrument", "name").rows() == [("pjm.da_hourly.7", "NEW")]
    tables = (await snapshot.read(engine)).tables
    assert tables[INSTRUMENTS].filter(tenant=tenant)["name"].to_list() == ["NEW"]
    assert tables[NAMES].filter(tenant=tenant).sort("since")["name"].to_list() == ["OLD", "NEW"]
    assert (await find_instruments(engine, Visible(("other",)), Filters(search="new"), None, 9)).is_empty()
