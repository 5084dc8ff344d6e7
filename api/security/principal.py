"""From a key's text to who calls: checksum, look-up, constant-time comparison, a few seconds of memory."""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.security.scopes import granted
from db.postgres.access import StoredKey
from pipeline.schema import PUBLIC
from service import apikey, clock

REMEMBERED_SECONDS: Final = 4.0  # a revoked key answers for at most this long
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, and what they may do."""

    key_id: str
    name: str
    tenant: str
    role: str
    scopes: frozenset[str]
    expires_at: datetime | None

    @property
    def readable(self) -> tuple[str, ...]:
        """The tenants whose rows this caller may read: their own first, then the public one."""
        return (self.tenant,) if self.tenant == PUBLIC else (self.tenant, PUBLIC)


class Principals:
    """Finds the caller of a key; remembers good keys for `REMEMBERED_SECONDS`."""

    def __init__(
        self,
        find: Callable[[str], Awaitable[StoredKey | None]],
        used: Callable[[str], None],
        pepper: str,
        monotonic: Callable[[], float],
    ) -> None:
        self._find = find
        self._used = used
        self._pepper = pepper
        self._monotonic = monotonic
        self._known: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    async def of(self, text: str) -> Principal | None:
        """The caller, or None where the key is malformed, unknown, expired or revoked."""
        key = apikey.parse(text)
        if key is None:
            return None
        asked = self._monotonic()
        remembered = self._remembered(text, asked)
        principal = remembered or await self._looked_up(key)
        if principal is None or _expired(principal):
            return None
        if remembered is None:
            self._remember(text, principal, asked)
            self._used(principal.key_id)
        return principal

    def _remembered(self, text: str, now: float) -> Principal | None:
        until, principal = self._known.get(_name(text), (0.0, None))
        return principal if now < until else None

    def _remember(self, text: str, principal: Principal, asked: float) -> None:
        """`asked`: when its look-up began, for that may take long and the key be revoked meanwhile."""
        self._known[_name(text)] = (asked + REMEMBERED_SECONDS, principal)
        self._known.move_to_end(_name(text))
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    async def _looked_up(self, key: apikey.ApiKey) -> Principal | None:
        stored = await self._find(key.id)
        expected = stored.digest if stored else b"\0" * 32  # compared all the same: no hint by timing
        same = hmac.compare_digest(key.digest(self._pepper), expected)
        if stored is None or not same or not stored.usable(clock.now()):
            return None
        scopes = granted(stored.role, stored.scopes)
        return Principal(stored.id, stored.name, stored.tenant, stored.role, scopes, stored.expires_at)


def _expired(principal: Principal) -> bool:
    return principal.expires_at is not None and clock.now() >= principal.expires_at


def _name(text: str) -> bytes:
    """What stands for a key in memory: a hash, so that no secret stays there."""
    return hashlib.sha256(text.encode()).digest()
