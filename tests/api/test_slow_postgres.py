"""While PostgreSQL takes long: a key is looked up once for all who send it, and the reference in hand goes on."""

import asyncio
from typing import Final

import pytest

from api import references
from api.references import LOOK_S, SLOW_S, References
from api.security.principal import REMEMBERED_SECONDS, Principals
from db.postgres.access import StoredKey
from tests.api import fakes
from tests.api.held_reads import turns

_A_WHILE: Final = 5.0


class Slow(fakes.FakeReads):
    """Answers once `gate` is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.ticking = fakes.Ticking()

    async def find_key(self, key_id: str) -> StoredKey | None:
        found = await super().find_key(key_id)
        await self.gate.wait()
        return found

    async def reference_version(self) -> int:
        await self.gate.wait()
        return await super().reference_version()

    def principals(self) -> Principals:
        return Principals(self.find_key, self.used.append, self.peppers, self.ticking, self.rehash)


async def test_all_who_send_a_key_share_a_look_up() -> None:
    slow = Slow()
    key, principals = slow.add_key(), slow.principals()
    waiting = [asyncio.ensure_future(principals.of(key)) for _ in range(20)]
    await turns()
    waiting[0].cancel()
    slow.gate.set()
    found = await asyncio.gather(*waiting[1:])
    assert {each.key_id for each in found if each} == set(slow.keys)
    assert (slow.lookups, len(slow.used)) == (1, 1)


async def test_a_look_up_that_began_too_long_ago_is_not_shared() -> None:
    slow = Slow()
    key, principals = slow.add_key(), slow.principals()
    first = asyncio.ensure_future(principals.of(key))
    await turns()
    slow.ticking.now += REMEMBERED_SECONDS
    second = asyncio.ensure_future(principals.of(key))
    await turns()
    slow.gate.set()
    await asyncio.gather(first, second)
    assert slow.lookups == 2


async def test_a_look_up_that_fails_is_begun_anew() -> None:
    slow = Slow()
    slow.gate.set()
    key, principals = slow.add_key(), slow.principals()
    slow.gone = {"postgres": "refused"}
    with pytest.raises(Exception, match="postgres"):
        await principals.of(key)
    slow.gone = {}
    assert await principals.of(key) is not None


async def test_the_version_in_hand_goes_on_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "PATIENCE_S", 0.01)
    slow = Slow()
    known = References(slow.reference_version, slow.instruments_named, slow.ticking)
    slow.gate.set()
    assert await known.look() == 1
    slow.gate.clear()
    slow.version = 2
    slow.ticking.now += LOOK_S + 1
    async with asyncio.timeout(_A_WHILE):
        assert await known.look() == 1
    slow.ticking.now += SLOW_S
    waiting = asyncio.ensure_future(known.look())
    await turns()
    assert not waiting.done()
    slow.gate.set()
    assert await waiting == 2
