"""Row-level security: what a forgotten WHERE clause would give away stays inside."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import polars as pl
import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres import reference, schema, walls
from db.postgres.access import StoredKey, create_key, ensure_tenant
from db.postgres.audit import CLI, Entry, append
from db.postgres.engine import make_engine
from db.postgres.reference import Filters, find_instruments, instruments_named, names_of, register_instruments
from db.postgres.tables import instruments
from db.postgres.walls import READER, reading
from db.reference.loading import load
from db.visible import Visible
from pipeline.errors import DataProcessingError
from pipeline.reference.reading import read
from pipeline.reference.tables import TABLES, TENANT
from pipeline.schema import REFERENCE
from service.settings import Settings
from tests.db.postgres.databases import fresh_database

pytestmark = pytest.mark.stack
AT = datetime(2026, 7, 1, tzinfo=UTC)
BY_TENANT = {
    "instruments": "tenant", "instrument_names": "tenant", "api_keys": "tenant", "tenants": "id", "audit": "tenant",
}  # fmt: skip


@pytest.fixture(scope="module")
async def filled(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """Two tenants with a row in every table."""
    async with fresh_database(settings) as engine:
        await schema.upgrade(engine)
        for tenant in ("mine", "theirs"):
            await _fill(engine, tenant)
        yield engine


async def _fill(engine: AsyncEngine, tenant: str) -> None:
    await ensure_tenant(engine, tenant, "a tenant")
    await create_key(engine, StoredKey(f"k-{tenant}", tenant, "k", "viewer", None, b"\0" * 32, None, None))
    row = {"tenant": tenant, "instrument": "X", "market": "m", "product": "tick", "first_seen": AT}
    frame = pl.DataFrame([row], schema={name: REFERENCE[name] for name in row})
    await register_instruments(engine, frame)
    named = pl.DataFrame([{"tenant": tenant, "instrument": "X", "name": f"of {tenant}", "since": AT}])
    await reference.register_names(engine, named)
    given = read(b"calendar,day,name,source\nnerc,2026-01-01,New Year,s\n", "holidays", tenant)
    await load(engine, [given], lambda: ())
    async with engine.begin() as connection:
        entry = Entry(tenant, CLI, "public", "tenant.create", tenant, "done", "r", {})
        await append(connection, "a secret", [entry], AT)


async def whose(engine: AsyncEngine, tenants: list[str], table: str, column: str) -> set[str]:
    """Whose rows a query without any condition finds."""
    async with reading(engine, tenants) as connection:
        return set((await connection.execute(text(f"SELECT {column} FROM {table}"))).scalars())


@pytest.mark.parametrize(("table", "column"), [*BY_TENANT.items(), ("holidays", TENANT)])
async def test_without_a_condition_only_ones_own_rows_come(filled: AsyncEngine, table: str, column: str) -> None:
    assert await whose(filled, ["mine"], table, column) == {"mine"}
    assert await whose(filled, ["mine", "theirs"], table, column) == {"mine", "theirs"}
    assert await whose(filled, [], table, column) == set()
    async with filled.begin() as connection:
        await connection.execute(text(f"SET LOCAL ROLE {READER}"))
        assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0, (
            "no setting, no rows"
        )


async def test_every_table_with_a_tenant_that_the_role_may_read_has_a_wall(filled: AsyncEngine) -> None:
    readable = text(
        "SELECT relname, relrowsecurity FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
        f"AND has_any_column_privilege('{READER}', oid, 'SELECT')"
    )
    async with filled.connect() as connection:
        found = (await connection.execute(readable)).all()
    assert {row.relname for row in found} >= {*BY_TENANT, *TABLES}
    assert [row.relname for row in found if not row.relrowsecurity] == []


async def test_the_reads_of_a_caller_find_no_others_where_the_condition_is_wrong(
    filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each read asks for `theirs` in a transaction of `mine`."""

    def swapped(engine: AsyncEngine, _: object) -> object:
        return reading(engine, ["mine"])

    async def found() -> list[int]:
        return [
            (await find_instruments(filled, Visible(("theirs",)), Filters(), None, 9)).height,
            (await instruments_named(filled, ["theirs"], ["X"])).height,
            len(await names_of(filled, "theirs", "X")),
        ]

    assert await found() == [1, 1, 1]
    monkeypatch.setattr(reference, "reading", swapped)
    assert await found() == [0, 0, 0]


@pytest.mark.parametrize(
    "statement",
    ["SELECT digest FROM api_keys", "SELECT pepper FROM api_keys", "SELECT * FROM ledger", "SELECT * FROM audit_head",
     "SELECT * FROM idempotency", "DELETE FROM instruments", "UPDATE tenants SET name = 'x'",
     "INSERT INTO audit (seq) VALUES (9)"],
)  # fmt: skip
async def test_the_role_may_do_nothing_else(filled: AsyncEngine, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with reading(filled, ["mine"]) as connection:
            await connection.execute(text(statement))


async def test_a_transaction_leaves_the_connection_as_it_was(settings: Settings) -> None:
    engine = make_engine(settings.postgres.dsn.get_secret_value())
    async with reading(engine, ["mine"]) as connection:
        held = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    what = text(
        "SELECT pg_backend_pid(), current_user = session_user, coalesce(current_setting('gridtick.tenants'), '')"
    )
    async with engine.connect() as connection:
        assert (await connection.execute(what)).one() == (held, True, "")
    await engine.dispose()


async def test_a_tenant_that_would_read_as_two_is_refused(engine: AsyncEngine) -> None:
    with pytest.raises(ValueError, match="no comma"):
        async with reading(engine, ["mine,theirs"]):
            pass


async def _as(engine: AsyncEngine, user: str) -> AsyncEngine:
    url = make_url(engine.url.render_as_string(hide_password=False)).set(username=user, password="x")
    return make_engine(url.set(drivername="postgresql").render_as_string(hide_password=False), pooled=False)


@pytest.fixture
async def plain(settings: Settings) -> AsyncIterator[tuple[AsyncEngine, AsyncEngine]]:
    """A database whose owner is no superuser: as a superuser, and as its owner."""
    async with fresh_database(settings) as engine:
        owner = f"owner_{engine.url.database}"
        async with engine.begin() as connection:
            await connection.execute(text(f"CREATE ROLE {owner} LOGIN PASSWORD 'x'"))
            await connection.execute(text(f"ALTER DATABASE {engine.url.database} OWNER TO {owner}"))
        as_owner = await _as(engine, owner)
        yield engine, as_owner
        await as_owner.dispose()
        async with engine.begin() as connection:
            await connection.execute(text(f"DROP OWNED BY {owner} CASCADE"))
            await connection.execute(text(f"ALTER DATABASE {engine.url.database} OWNER TO CURRENT_USER"))
            await connection.execute(text(f"DROP ROLE {owner}"))


async def test_a_plain_owner_is_told_what_to_do_and_then_reads_behind_the_wall(
    plain: tuple[AsyncEngine, AsyncEngine],
) -> None:
    superuser, owner = plain
    with pytest.raises(DataProcessingError, match=f"superuser run `CREATE ROLE {READER} NOLOGIN; GRANT {READER}"):
        await schema.upgrade(owner)
    with pytest.raises(DataProcessingError, match=f"GRANT {READER} TO"):
        await walls.require(owner)
    async with superuser.begin() as connection:
        await connection.execute(text(f"GRANT {READER} TO {owner.url.username}"))
    await schema.upgrade(owner)
    await walls.require(owner)
    for tenant in ("mine", "theirs"):
        await _fill(owner, tenant)
    async with owner.connect() as connection:
        assert len((await connection.execute(select(instruments.c.tenant))).all()) == 2, "the system's own reads"
    assert await whose(owner, ["mine"], "instruments", TENANT) == {"mine"}
