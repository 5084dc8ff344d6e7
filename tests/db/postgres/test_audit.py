"""The audit record on a real server: whatever is done to it behind our back is found, and said where."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres import schema
from db.postgres.audit import CLI, Entry, append
from db.postgres.audit_chain import Anchor
from db.postgres.audit_reads import Filters, Verdict, read_anchor, records, verify
from pipeline.errors import DataProcessingError
from service.settings import Settings
from tests.db.postgres.databases import fresh_database

pytestmark = pytest.mark.stack
SECRET = "a secret for tests"
AT = datetime(2026, 7, 1, 12, 0, 0, 1, UTC)
_ANEW = (
    "TRUNCATE audit; DELETE FROM audit_head; "
    "INSERT INTO audit_head (seq, hash) VALUES (0, decode(repeat('00', 32), 'hex'))"
)
_SWAP = "; ".join(f"UPDATE audit SET seq = {new} WHERE seq = {old}" for old, new in ((2, 9), (3, 2), (9, 3)))
_COPY = (
    "INSERT INTO audit SELECT {}, at, tenant, actor, actor_tenant, action, target, outcome, request_id, detail, hash"
)


def entry(target: str, tenant: str = "t", **more: str) -> Entry:
    given = {"tenant": tenant, "actor": CLI, "actor_tenant": "public", "action": "key.create", "request_id": "r"}
    return Entry(**(given | more), target=target, outcome="done", detail={"b": 1, "ä": ["\0", None]})  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
async def database(settings: Settings) -> AsyncIterator[AsyncEngine]:
    async with fresh_database(settings) as engine:
        await schema.upgrade(engine)
        yield engine


@pytest.fixture
async def chain(database: AsyncEngine) -> AsyncEngine:
    """A chain of six records, and nothing else."""
    await tamper(database, _ANEW)
    for n in range(3):
        await appended(database, entry(f"a{n}"), entry(f"b{n}"), at=AT + timedelta(days=n))
    return database


async def appended(engine: AsyncEngine, *entries: Entry, at: datetime = AT) -> None:
    async with engine.begin() as connection:
        await append(connection, SECRET, entries, at)


async def tamper(engine: AsyncEngine, statements: str) -> None:
    """As a superuser who switches the triggers off."""
    async with engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        for each in statements.split(";"):
            await connection.execute(text(each))


async def found(engine: AsyncEngine, anchor: Anchor | None = None) -> str:
    return "; ".join((await verify(engine, SECRET, anchor)).wrong)


async def test_a_chain_is_whole_and_its_anchor_is_the_last_record(chain: AsyncEngine) -> None:
    every = await records(chain, Filters(), 0, 99)
    assert [(each.seq, each.target) for each in every] == [*enumerate(("a0", "b0", "a1", "b1", "a2", "b2"), 1)]
    assert (every[0].at, every[0].detail) == (AT, '{"b":1,"ä":["\\u0000",null]}')
    anchor = Anchor(6, every[-1].hash)
    assert await verify(chain, SECRET, read_anchor(str(anchor))) == Verdict([], 0, anchor)


@pytest.mark.parametrize(
    ("done", "said"),
    [
        ("UPDATE audit SET actor = 'me' WHERE seq = 3", "record 3 is not as it was written"),
        ("UPDATE audit SET at = at + interval '1 microsecond' WHERE seq = 6", "record 6 is not as it was written"),
        ("UPDATE audit SET detail = '{}' WHERE seq = 1", "record 1 is not as it was written"),
        ("UPDATE audit SET hash = sha256('x') WHERE seq = 4", "record 4 is not as it was written.*; record 5 is not"),
        ("UPDATE audit SET hash = sha256('x') WHERE seq = 6", "record 6 is not.*; record 6 is another one than the he"),
        ("DELETE FROM audit WHERE seq = 1", "^record 1 is missing$"),
        ("DELETE FROM audit WHERE seq IN (3, 4)", "^records 3 to 4 are missing$"),
        ("DELETE FROM audit WHERE seq >= 5", "^records 5 to 6 are missing: the last ones were dropped$"),
        ("DELETE FROM audit", "^records 1 to 6 are missing"),
        ("DELETE FROM audit WHERE seq = 2; UPDATE audit SET seq = seq - 1 WHERE seq > 2", "record 2 is not.*5 is not"),
        (f"{_COPY.format(7)} FROM audit WHERE seq = 6", "record 7 is not.*record 7 is beyond the head"),
        (_SWAP, "record 2 is not .*record 3 is not .*record 4 is not "),
        ("DELETE FROM audit WHERE seq > 4; "
         "UPDATE audit_head SET (seq, hash) = (SELECT 4, hash FROM audit WHERE seq = 4)", "^the head .* is not as it"),
        ("DELETE FROM audit_head", "^the head .* is missing$"),
    ],
)  # fmt: skip
async def test_what_was_changed_dropped_doubled_or_moved_is_found(chain: AsyncEngine, done: str, said: str) -> None:
    await tamper(chain, done)
    assert re.search(said, await found(chain))


async def test_a_record_that_is_there_twice_is_found(chain: AsyncEngine) -> None:
    await tamper(chain, f"ALTER TABLE audit DROP CONSTRAINT audit_pkey; {_COPY.format('seq')} FROM audit WHERE seq = 3")
    try:
        assert await found(chain) == "record 3 is there more than once"
    finally:
        await tamper(chain, f"{_ANEW}; ALTER TABLE audit ADD PRIMARY KEY (seq)")


async def test_a_record_that_was_put_back_as_a_whole_is_found_by_an_anchor(chain: AsyncEngine) -> None:
    anchor = (await verify(chain, SECRET)).anchor
    await tamper(chain, _ANEW)
    await appended(chain, entry("c0"))
    assert await found(chain) == ""
    assert "record 6 is missing: the whole record was put back" in await found(chain, anchor)
    await appended(chain, *[entry(f"c{n}") for n in range(9)])
    assert await found(chain, anchor) == "record 6 is another one than the anchor's"


async def test_nothing_is_appended_to_a_chain_whose_head_was_changed(chain: AsyncEngine) -> None:
    """Else the last records could be dropped and the next change would seal it."""
    await tamper(chain, "DELETE FROM audit WHERE seq = 6; UPDATE audit_head SET seq = 5")
    with pytest.raises(DataProcessingError, match="gridtick audit verify"):
        await appended(chain, entry("late"))


async def test_another_secret_can_neither_append_nor_verify(chain: AsyncEngine) -> None:
    with pytest.raises(DataProcessingError, match="as DATA_PROC_API_AUDIT_SECRET left it"):
        async with chain.begin() as connection:
            await append(connection, "another", [entry("x")], AT)
    verdict = await verify(chain, "another")
    assert (verdict.number, verdict.wrong[-1][:8]) == (7, "the head")
    with pytest.raises(DataProcessingError, match="AUDIT_SECRET is empty"):
        await verify(chain, "")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit", "DELETE FROM audit_head",
     "TRUNCATE audit_head"],
)  # fmt: skip
async def test_the_server_refuses_to_change_it(chain: AsyncEngine, statement: str) -> None:
    async with chain.connect() as connection:
        with pytest.raises(DBAPIError, match="append-only"):
            await connection.execute(text(statement))


async def test_writers_at_the_same_time_leave_a_whole_chain(chain: AsyncEngine) -> None:
    async def write(n: int) -> None:
        for each in range(5):
            await appended(chain, entry(f"w{n}.{each}"), entry(f"w{n}.{each}+"))

    await asyncio.gather(*(write(n) for n in range(20)))
    assert (await verify(chain, SECRET))[1:] == (0, (await verify(chain, SECRET)).anchor)
    targets = [each.target for each in await records(chain, Filters(), 6, 999)]
    assert len(set(targets)) == len(targets) == 200
    assert targets.index("w7.0+") == targets.index("w7.0") + 1


async def test_a_change_that_is_rolled_back_leaves_neither_record_nor_hole(chain: AsyncEngine) -> None:
    async with chain.connect() as connection:
        await append(connection, SECRET, [entry("undone")], AT)
        await connection.rollback()
    await appended(chain, entry("done"))
    assert [each.target for each in await records(chain, Filters(), 5, 9)] == ["b2", "done"]
    assert await found(chain) == ""


async def test_filters_and_pages(chain: AsyncEngine) -> None:
    await appended(chain, entry("mine", "mine", action="key.revoke", actor="k1"), at=AT + timedelta(days=9))

    async def targets(filters: Filters, after: int = 0, limit: int = 9) -> list[str]:
        return [each.target for each in await records(chain, filters, after, limit)]

    assert await targets(Filters(), 2, 2) == ["a1", "b1"]
    assert await targets(Filters(tenants=["mine"])) == ["mine"] == await targets(Filters(action="key.revoke"))
    assert await targets(Filters(actor="k1")) == ["mine"] == await targets(Filters(since=AT + timedelta(days=3)))
    assert await targets(Filters(["t"], since=AT + timedelta(days=1), until=AT + timedelta(days=2))) == ["a1", "b1"]
    assert await targets(Filters(tenants=[])) == []


@pytest.mark.parametrize("written", ["", "6", "6:abc", f"0:{'0' * 64}", f"6:{'g' * 64}", f"-1:{'0' * 64}"])
def test_what_is_no_anchor_is_refused(written: str) -> None:
    with pytest.raises(DataProcessingError, match="SEQ:HASH"):
        read_anchor(written)
