"""From a key's text to who calls: checksum, look-up, constant-time comparison, a few seconds of memory."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from api.security.scopes import granted
from db.entitlements import DEFAULT, EVERYTHING, Entitlements, Limits
from db.postgres.access import StoredKey
from pipeline.schema import PUBLIC
from service import apikey, clock

REMEMBERED_SECONDS: Final = 4.0  # a revoked key answers for at most this long
_REMEMBERED: Final = 10_000


Whose = tuple[str, Entitlements]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, and what they may do."""

    key_id: str
    name: str
    tenant: str
    role: str
    scopes: frozenset[str]
    expires_at: datetime | None
    entitled: Entitlements = EVERYTHING
    limits: Limits = DEFAULT

    @property
    def whose(self) -> Whose:
        """Equal for those who see the same."""
        return self.tenant, self.entitled

    @property
    def is_operator(self) -> bool:
        """Whether the caller may manage other tenants."""
        return self.tenant == PUBLIC

    @property
    def readable(self) -> tuple[str, ...]:
        """The tenants whose rows this caller may read: their own first, then the public one."""
        return (self.tenant,) if self.tenant == PUBLIC else (self.tenant, PUBLIC)


_Flight = asyncio.Task[Principal | None]


class Principals:
    """Finds the caller of a key; remembers good keys for `REMEMBERED_SECONDS`."""

    def __init__(
        self,
        find: Callable[[str], Awaitable[StoredKey | None]],
        used: Callable[[str], None],
        peppers: apikey.Peppers,
        monotonic: Callable[[], float],
        rehash: Callable[[str, bytes, bytes, str], None],
    ) -> None:
        """`rehash` puts a key, in the background, under the present pepper: id, old and new digest, fingerprint."""
        self._find = find
        self._used = used
        self._peppers = peppers
        self._rehash = rehash
        self._monotonic = monotonic
        self._known: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()
        self._flights: dict[bytes, tuple[float, _Flight]] = {}

    async def of(self, text: str) -> Principal | None:
        """The caller, or None where the key is malformed, unknown, expired or revoked."""
        key = apikey.parse(text)
        if key is None:
            return None
        asked = self._monotonic()
        principal = self._remembered(text, asked) or await self._found(text, key, asked)
        return None if principal is None or _expired(principal) else principal

    def known(self, text: str) -> Principal | None:
        """The caller of a key that is remembered; nothing is looked up."""
        principal = self._remembered(text, self._monotonic())
        return None if principal is None or _expired(principal) else principal

    def _remembered(self, text: str, now: float) -> Principal | None:
        until, principal = self._known.get(_name(text), (0.0, None))
        return principal if now < until else None

    def _remember(self, text: str, principal: Principal, asked: float) -> None:
        """`asked`: when its look-up began, for that may take long and the key be revoked meanwhile."""
        self._known[_name(text)] = (asked + REMEMBERED_SECONDS, principal)
        self._known.move_to_end(_name(text))
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    async def _found(self, text: str, key: apikey.ApiKey, asked: float) -> Principal | None:
        """All who ask with a key share a look-up, unless it began too long ago: a store that is slow is asked once."""
        began, flight = self._flights.get(_name(text), (float("-inf"), None))
        if flight is None or asked - began >= REMEMBERED_SECONDS:
            flight = asyncio.ensure_future(self._flown(text, key, asked))
            self._flights[_name(text)] = asked, flight
            flight.add_done_callback(partial(self._landed, _name(text)))
        return await asyncio.shield(flight)

    async def _flown(self, text: str, key: apikey.ApiKey, asked: float) -> Principal | None:
        principal = await self._looked_up(key)
        if principal is not None and not _expired(principal):
            self._remember(text, principal, asked)
            self._used(principal.key_id)
        return principal

    def _landed(self, name: bytes, flight: _Flight) -> None:
        if self._flights.get(name, (0.0, None))[1] is flight:
            del self._flights[name]
        if not flight.cancelled():
            flight.exception()  # it was raised to who waited, if anybody did

    async def _looked_up(self, key: apikey.ApiKey) -> Principal | None:
        stored = await self._find(key.id)
        # Compared all the same: no hint by timing whether there is such a key.
        pepper = self._peppers.under(key, stored.digest if stored else None)
        if stored is None or pepper is None or not stored.usable(clock.now()):
            return None
        self._renew(key, stored)
        return principal_of(stored)

    def _renew(self, key: apikey.ApiKey, stored: StoredKey) -> None:
        present = apikey.fingerprint(self._peppers.present)
        if stored.pepper != present:
            self._rehash(key.id, stored.digest, key.digest(self._peppers.present), present)


def principal_of(stored: StoredKey) -> Principal:
    """The caller of a key that is usable."""
    scopes = granted(stored.role, stored.scopes)
    of_key = stored.id, stored.name, stored.tenant, stored.role
    return Principal(*of_key, scopes, stored.expires_at, stored.entitled, stored.limits)


def _expired(principal: Principal) -> bool:
    return principal.expires_at is not None and clock.now() >= principal.expires_at


def _name(text: str) -> bytes:
    """What stands for a key in memory: a hash, so that no secret stays there."""
    return hashlib.sha256(text.encode()).digest()
