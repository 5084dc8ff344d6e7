"""Reference data on a real PostgreSQL: all of a call or nothing, and only a change moves the versions."""

from collections.abc import Collection
from dataclasses import replace

import polars as pl
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.reference import own
from db.reference.loading import Loaded, Mode, Refused, difference, load
from db.reference.rows import rows_of
from db.reference.snapshot import read_versions
from pipeline.reference import checks
from pipeline.reference.reading import Given, read
from pipeline.reference.tables import TABLES

pytestmark = pytest.mark.stack
DATED = "market,location,valid_from,valid_to,kind,source\n"
LEGS = (
    '"[{""instrument"":""pjm.da_hourly.1"",""weight"":""1""},{""instrument"":""pjm.rt_hourly.1"",""weight"":""-1""}]"'
)
SPREAD = (
    "spread,valid_from,valid_to,zone,unit,formula,legs,source\ndart.x,,{to},America/New_York,USD/MWh,f," + LEGS + ",s\n"
)


def places(tenant: str, *rows: str) -> Given:
    given = read((DATED + "".join(f"{row}\n" for row in rows)).encode(), "locations", tenant)
    assert not given.problems, given.problems
    return given


def spread(tenant: str, to: str = "") -> Given:
    given = read(SPREAD.replace("{to}", to).encode(), "spreads", tenant)
    assert not given.problems, given.problems
    return given


def nothing() -> Collection[tuple[str, str]]:
    return ()


def counts(loaded: Loaded) -> list[tuple[int, int, int]]:
    return [(each.added.height, each.after.height, each.removed.height) for each in loaded.changes]


async def held(engine: AsyncEngine, tenant: str, table: str = "locations") -> pl.DataFrame:
    async with engine.connect() as connection:
        return await rows_of(connection, TABLES[table], [tenant])


async def test_every_table_is_as_the_registry_says(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        for name, table in TABLES.items():
            found = await rows_of(connection, table)
            assert found.schema == table.schema, name
            needed = {each for each, column in table.columns.items() if column.needed} | {"tenant", "own"}
            statement = text("SELECT column_name FROM information_schema.columns WHERE table_name = :t")
            strict = text(f"{statement.text} AND is_nullable = 'NO'")
            there = [row[0] for row in (await connection.execute(statement, {"t": name})).all()]
            assert set(there) == {*table.schema, "own"}, name
            assert {row[0] for row in (await connection.execute(strict, {"t": name})).all()} == needed, name


async def test_a_load_adds_changes_and_moves_the_versions_once_there_is_a_change(
    engine: AsyncEngine, tenant: str
) -> None:
    before = await read_versions(engine)
    first = places(tenant, "pjm,A,,,node,s", "pjm,B,2020-01-01,2021-01-01,node,s")
    loaded = await load(engine, [first], nothing)
    assert counts(loaded) == [(2, 0, 0)]
    after = await read_versions(engine)
    assert after.tables > before.tables
    assert loaded.version >= after.all - (after.tables - before.tables)
    assert counts(await load(engine, [first], nothing)) == [(0, 0, 0)]
    assert (await held(engine, tenant)).equals(first.rows.sort("location"))
    second = places(tenant, "pjm,A,,,load_zone,s", "pjm,B,2021-01-01,,node,s")
    assert counts(await load(engine, [second], nothing)) == [(1, 1, 0)]
    assert (await held(engine, tenant))["kind"].to_list() == ["load_zone", "node", "node"]


async def test_replace_removes_what_the_file_does_not_hold_of_its_tenant_alone(
    engine: AsyncEngine, tenant: str
) -> None:
    other = f"{tenant}-other"
    await load(engine, [places(tenant, "pjm,A,,,node,s", "pjm,B,,,node,s"), places(other, "pjm,A,,,node,s")], nothing)
    only = places(tenant, "pjm,B,,,node,s")
    found = await difference(engine, only)
    assert found.removed["location"].to_list() == ["A"]
    assert counts(await load(engine, [only], nothing, Mode(replace=True, dry_run=True))) == [(0, 0, 1)]
    assert (await held(engine, tenant)).height == 2
    assert counts(await load(engine, [only], nothing, Mode(replace=True))) == [(0, 0, 1)]
    assert (await held(engine, tenant))["location"].to_list() == ["B"]
    assert (await held(engine, other)).height == 1


async def test_a_row_that_overlaps_one_that_is_there_is_refused_with_all_files(
    engine: AsyncEngine, tenant: str
) -> None:
    await load(engine, [places(tenant, "pjm,A,,,node,s")], nothing)
    with pytest.raises(Refused, match=r"pjm A.*overlaps.*valid_to"):
        await load(engine, [places(tenant, "pjm,A,2026-01-01,,node,s", "pjm,C,,,node,s"), spread(tenant)], nothing)
    assert (await held(engine, tenant)).height == 1
    assert (await held(engine, tenant, "spreads")).is_empty()


async def test_a_tenant_may_have_so_many_rows_and_public_any_number(engine: AsyncEngine, tenant: str) -> None:
    def given(*rows: str) -> Given:
        file = places(tenant, *rows)
        return file._replace(table=replace(file.table, most=2))

    await load(engine, [given("pjm,A,,,node,s", "pjm,B,,,node,s")], nothing)
    with pytest.raises(Refused, match=rf"tenant: '{tenant}' would have 3 rows; 2 are allowed"):
        await load(engine, [given("pjm,C,,,node,s")], nothing)
    assert (await held(engine, tenant)).height == 2
    rows = (await held(engine, "public")).head(3)
    assert not list(checks.too_many(replace(TABLES["locations"], most=2), rows))


async def test_a_spread_that_has_values_may_only_end(engine: AsyncEngine, tenant: str) -> None:
    await load(engine, [spread(tenant)], nothing)

    def valued() -> Collection[tuple[str, str]]:
        return {(tenant, "dart.x")}

    changed = spread(tenant)._replace(rows=spread(tenant).rows.with_columns(zone=pl.lit("UTC")))
    gone = spread(tenant)._replace(rows=spread(tenant).rows.clear())
    with pytest.raises(Refused, match="valid_to"):
        await load(engine, [changed], valued)
    with pytest.raises(Refused, match="valid_to"):
        await load(engine, [gone], valued, Mode(replace=True))
    assert counts(await load(engine, [spread(tenant, "2027-01-01")], valued)) == [(0, 1, 0)]
    assert counts(await load(engine, [changed], nothing)) == [(0, 1, 0)], "without values it may be anything"


async def test_what_came_with_the_program_is_there_and_leaves_alone_what_others_wrote(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: own.Path, tenant: str
) -> None:
    assert await own.load_own(engine, nothing) == 0, "the migration has loaded it"
    held_public = await held(engine, "public", "holidays")
    assert held_public.height >= own.read(own.DATA / "holidays.csv").rows.height
    monkeypatch.setattr(own, "DATA", tmp_path)
    file, head = tmp_path / "locations.csv", "tenant," + DATED

    async def given(*rows: str) -> int:
        file.write_text(head + "".join(f"{tenant},{row}\n" for row in rows))
        return await own.load_own(engine, nothing)

    try:
        assert await given("pjm,A,,,node,s", "pjm,B,,,node,s") == 2
        await load(engine, [places(tenant, "pjm,A,,2020-01-01,node,mine", "pjm,A,2020-01-01,,node,mine")], nothing)
        assert await given("pjm,A,,,load_zone,s", "pjm,C,,,node,s") == 2, "B gone, C new, A is somebody's"
        assert (await held(engine, tenant)).select("location", "source").rows() == [
            ("A", "mine"), ("A", "mine"), ("C", "s"),
        ]  # fmt: skip
        assert await own.load_own(engine, nothing) == 0
    finally:
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM reference_files WHERE name = 'locations'"))
