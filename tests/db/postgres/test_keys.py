"""Keys and tenants as they are administered, and posts that come again, on a real server."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from db.entitlements import Entitlements, Limits
from db.postgres import idempotency, keys, tenants
from db.postgres.access import find_key
from db.postgres.changes import By, Change, Performed, perform
from db.postgres.idempotency import KEPT, Once, once
from db.postgres.keys import CreateKey, New, RevokeKey, RotateKey
from db.postgres.refused import Refused
from db.postgres.tables import api_keys, audit
from db.postgres.tables import idempotency as posts
from db.postgres.tenants import CreateTenant, LimitTenant, ResumeTenant, SuspendTenant
from service import apikey
from service.settings import Settings

pytestmark = pytest.mark.stack
NOW = datetime(2026, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
Do = Callable[..., Awaitable[Performed]]


def _new() -> tuple[apikey.ApiKey, New]:
    key = apikey.make()
    return key, New(key.id, key.digest("pepper"), apikey.fingerprint("pepper"))


def _creation(tenant: str, new: New | None = None, expires_at: datetime | None = None) -> CreateKey:
    return CreateKey(new or _new()[1], tenant, "n", "analyst", frozenset({"bars:read"}), expires_at)


@pytest.fixture
def do(engine: AsyncEngine, settings: Settings) -> Do:
    """Makes a change by `actor` at an instant."""
    secret = settings.api.audit_secret.get_secret_value()

    async def perform_it(change: Change, at: datetime = NOW, post: Once | None = None) -> Performed:
        return await perform(engine, secret, change, By("actor", "public", "request", at), post)

    return perform_it


@pytest.fixture
async def there(do: Do, tenant: str) -> str:
    """A tenant that is there."""
    await do(CreateTenant(tenant, "A tenant", {}))
    return tenant


async def _records(engine: AsyncEngine, tenant: str) -> list[tuple[str, str]]:
    statement = select(audit.c.action, audit.c.target).where(audit.c.tenant == tenant).order_by(audit.c.seq)
    async with engine.connect() as connection:
        return [(action, target) for action, target in (await connection.execute(statement)).all()]


async def _keys(engine: AsyncEngine, tenant: str) -> list[keys.Key]:
    async with engine.connect() as connection:
        return await keys.listed(connection, [tenant], None, 100)


async def test_a_key_is_made_replaced_and_revoked_with_a_record_each(engine: AsyncEngine, do: Do, there: str) -> None:
    made = (await do(_creation(there, expires_at=NOW + 48 * HOUR))).answer
    second = (await do(RotateKey(_new()[1], made["id"], [there], 24 * HOUR, None), NOW + HOUR)).answer
    assert (second["role"], second["scopes"], second["name"]) == (made["role"], made["scopes"], made["name"])
    assert (second["replaces"], second["expires_at"], second["created_by"]) == (made["id"], made["expires_at"], "actor")
    old = await find_key(engine, made["id"])
    assert old is not None
    assert old.usable(NOW + 24 * HOUR)
    assert not old.usable(NOW + 25 * HOUR)
    for _ in range(2):
        await do(RevokeKey(second["id"], [there]), NOW + 2 * HOUR)
    new = await find_key(engine, second["id"])
    assert new is not None
    assert not new.usable(NOW + 2 * HOUR)
    changes = [("key.create", made["id"]), ("key.rotate", made["id"]), ("key.revoke", second["id"])]
    assert await _records(engine, there) == [("tenant.create", there), *changes]


async def test_a_rotation_does_not_make_the_old_key_live_longer(engine: AsyncEngine, do: Do, there: str) -> None:
    made = (await do(_creation(there, expires_at=NOW + HOUR))).answer
    await do(RotateKey(_new()[1], made["id"], None, 24 * HOUR, NOW + 90 * HOUR))
    old = await find_key(engine, made["id"])
    assert old is not None
    assert old.expires_at == NOW + HOUR
    await do(RotateKey(_new()[1], made["id"], None, timedelta(0), None))
    with pytest.raises(Refused, match="Make a new one"):
        await do(RotateKey(_new()[1], made["id"], None, HOUR, None))


async def test_a_key_of_another_tenant_is_not_there(engine: AsyncEngine, do: Do, there: str) -> None:
    made = (await do(_creation(there))).answer
    for change in (RevokeKey(made["id"], ["public"]), RotateKey(_new()[1], made["id"], ["public"], HOUR, None)):
        with pytest.raises(Refused) as told:
            await do(change)
        assert told.value.why == "not-found"
    assert await _keys(engine, there) == [made]


async def test_keys_are_listed_page_by_page(engine: AsyncEngine, do: Do, there: str) -> None:
    made = [(await do(_creation(there), NOW + timedelta(seconds=n // 2))).answer["id"] for n in range(5)]
    seen: list[str] = []
    after: tuple[datetime, str] | None = None
    async with engine.connect() as connection:
        while page := await keys.listed(connection, [there], after, 2):
            seen += [each["id"] for each in page]
            after = datetime.fromisoformat(page[-1]["created_at"]), page[-1]["id"]
    assert sorted(seen) == sorted(made)
    assert len(seen) == 5


async def test_a_tenant_limits_its_keys(engine: AsyncEngine, do: Do, there: str) -> None:
    made = (await do(_creation(there))).answer
    values = {"markets": ["ercot"], "products": [], "history_days": 9, "rows_per_day": 10**10, "requests_per_minute": 7}
    for _ in range(2):
        await do(LimitTenant(there, values))
    found = await find_key(engine, made["id"])
    assert found is not None
    assert found.entitled == Entitlements(frozenset({"ercot"}), frozenset(), timedelta(days=9))
    assert found.limits == Limits(7, 10**10)
    assert [action for action, _ in await _records(engine, there)].count("tenant.limit") == 1
    assert (await do(LimitTenant(there, {"markets": None}))).answer["markets"] is None


async def test_a_suspended_tenant_has_no_good_and_no_new_key(engine: AsyncEngine, do: Do, there: str) -> None:
    made = (await do(_creation(there))).answer
    await do(SuspendTenant(there))
    found = await find_key(engine, made["id"])
    assert found is not None
    assert not found.usable(NOW)
    for change in (_creation(there), RotateKey(_new()[1], made["id"], None, HOUR, None)):
        with pytest.raises(Refused, match="suspended"):
            await do(change)
    await do(ResumeTenant(there))
    await do(_creation(there))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_creation("no-such-tenant"), "not-found"),
        (LimitTenant("no-such-tenant", {"name": "x"}), "not-found"),
        (CreateTenant("public", "again", {}), "tenant-exists"),
        (SuspendTenant("public"), "public-tenant"),
        (LimitTenant("public", {"markets": ["ercot"]}), "public-tenant"),
        (RevokeKey("nobody", None), "not-found"),
    ],
)
async def test_what_cannot_be_is_refused(do: Do, change: Change, why: str) -> None:
    with pytest.raises(Refused) as told:
        await do(change)
    assert told.value.why == why


async def test_a_refused_change_leaves_no_record_and_no_answer(engine: AsyncEngine, do: Do, there: str) -> None:
    await do(SuspendTenant(there))
    post = once(there, "refused-post", b"asked")
    with pytest.raises(Refused):
        await do(_creation(there), NOW, post)
    await do(ResumeTenant(there))
    assert not (await do(_creation(there), NOW, post)).replayed
    assert [action for action, _ in await _records(engine, there)].count("key.create") == 1


async def test_a_post_is_done_once_in_a_day(engine: AsyncEngine, do: Do, there: str) -> None:
    post = once(there, "a-name-for-it", b"asked")
    first = await do(_creation(there), NOW, post)
    again = await do(_creation(there), NOW + KEPT - HOUR, post)
    assert (again.replayed, again.answer) == (True, first.answer)
    with pytest.raises(Refused) as told:
        await do(_creation(there), NOW, post._replace(request=b"asked for something else"))
    assert told.value.why == "idempotency-mismatch"
    late = await do(_creation(there), NOW + KEPT + HOUR, post)
    assert not late.replayed
    assert len(await _keys(engine, there)) == 2


async def test_old_answers_are_dropped(engine: AsyncEngine, do: Do, there: str) -> None:
    await do(_creation(there), NOW, once(there, "an-old-one", b""))
    await do(_creation(there), NOW + 2 * KEPT, once(there, "a-new-one", b""))
    async with engine.connect() as connection:
        statement = select(func.count()).select_from(posts).where(posts.c.tenant == there)
        assert (await connection.execute(statement)).scalar_one() == 1


async def test_of_posts_at_once_one_is_done(engine: AsyncEngine, do: Do, there: str) -> None:
    post = once(there, "all-at-once", b"asked")
    answers: list[Any] = await asyncio.gather(
        *(do(_creation(there), NOW, post) for _ in range(8)), return_exceptions=True
    )
    done = [each for each in answers if isinstance(each, Performed)]
    refused = [each.why for each in answers if isinstance(each, Refused)]
    assert len(done) + len(refused) == 8
    assert set(refused) <= {"idempotency-in-progress"}
    assert [each.replayed for each in done].count(False) == 1
    [made] = await _keys(engine, there)
    assert all(each.answer == made for each in done)


async def test_while_the_first_is_under_way_the_second_is_refused(engine: AsyncEngine, do: Do, there: str) -> None:
    post = once(there, "under-way-now", b"asked")
    async with engine.connect() as first:
        assert await idempotency.kept(first, post, NOW) is None
        with pytest.raises(Refused) as told:
            await do(_creation(there), NOW, post)
        assert told.value.why == "idempotency-in-progress"
        await first.rollback()  # it died
    assert not (await do(_creation(there), NOW, post)).replayed


async def test_a_key_goes_under_a_new_pepper_unless_it_has_changed(engine: AsyncEngine, do: Do, there: str) -> None:
    key, new = _new()
    await do(_creation(there, new))
    digest, name = key.digest("newer"), apikey.fingerprint("newer")
    await keys.rehash(engine, key.id, b"x" * 32, digest, name)
    assert (await find_key(engine, key.id)).digest == new.digest  # type: ignore[union-attr]
    await keys.rehash(engine, key.id, new.digest, digest, name)
    found = await find_key(engine, key.id)
    assert found is not None
    assert (found.digest, found.pepper) == (digest, name)
    async with engine.connect() as connection:
        assert (await keys.peppers(connection))[key.id] == name


async def test_a_suspension_waits_for_a_key_that_is_being_made(engine: AsyncEngine, do: Do, there: str) -> None:
    async with engine.connect() as making:
        await tenants.require_active(making, there)
        suspending = asyncio.ensure_future(do(SuspendTenant(there)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(suspending), 0.2)
        await making.rollback()
    await suspending


async def test_a_rotation_of_a_key_that_ends_meanwhile_is_refused(engine: AsyncEngine, do: Do, there: str) -> None:
    made = (await do(_creation(there))).answer
    async with engine.begin() as ending:
        await ending.execute(update(api_keys).where(api_keys.c.id == made["id"]).values(revoked_at=NOW))
        rotating = asyncio.ensure_future(do(RotateKey(_new()[1], made["id"], None, HOUR, None)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(rotating), 0.2)
    with pytest.raises(Refused, match="revoked"):
        await rotating
